//! What a node was asked for and has not ended: before it stops, it takes nothing new and lets that come to its end.

use tokio::sync::watch;

/// Operations that are under way. Clones count the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Doing(watch::Sender<State>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    under_way: usize,
    is_closed: bool,
}

/// An operation that is under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(watch::Sender<State>);

impl Doing {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// Begins one; `None` if nothing new is taken.
    pub(crate) fn begin(&self) -> Option<UnderWay> {
        let begun = self.0.send_if_modified(|state| {
            state.under_way += usize::from(!state.is_closed);
            !state.is_closed
        });
        begun.then(|| UnderWay(self.0.clone()))
    }

    /// Takes nothing new, and waits until everything has ended.
    pub(crate) async fn end(&self) {
        self.0.send_modify(|state| state.is_closed = true);
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|state| state.under_way == 0).await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|state| state.under_way -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;

    /// Whether it is over by now.
    async fn is_over(mut end: Pin<&mut impl Future<Output = ()>>) -> bool {
        tokio::select! {
            biased;
            () = &mut end => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn the_end_waits_for_what_has_begun_and_nothing_begins_after() {
        let doing = Doing::new();
        let (first, second) = (doing.begin().unwrap(), doing.begin().unwrap());
        let mut end = Box::pin(doing.end());
        assert!(!is_over(end.as_mut()).await);
        assert!(doing.begin().is_none());
        drop(first);
        assert!(!is_over(end.as_mut()).await);
        drop(second);
        assert!(is_over(end.as_mut()).await);
    }
}
