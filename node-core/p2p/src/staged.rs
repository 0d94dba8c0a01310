//! A file under a database, of which the first changes can be held back.
//!
//! Opening a database may mean repairing it, and a repair writes. What was opened is only then known to be whole, and a
//! file that is refused is to stay as it was found. So all that is written while the database is opened and looked
//! through is held in memory, and reads see it; [`Stage::release`] then does it to the file, in the same order
//! and with the same barriers, so that a crash meanwhile is no other than a crash of the database itself. From
//! then on nothing is held.
//!
//! A repair writes a commit and the state of the allocator, a few pages: what is held is small. It locks nothing: the
//! data folder is locked, and the file by whoever opens it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// The end that stays with whoever opens the database.
#[derive(Clone, Debug)]
pub(crate) struct Stage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    under: Box<dyn StorageBackend>,
    held: Mutex<Option<Held>>,
}

/// What was written, and not yet to the file.
#[derive(Debug)]
struct Held {
    len: u64,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Write { offset: u64, data: Vec<u8> },
    Len(u64),
    Sync,
}

impl Stage {
    /// Holds back what is written from now on.
    pub(crate) fn over(under: Box<dyn StorageBackend>) -> io::Result<Self> {
        let held = Held { len: under.len()?, steps: Vec::new() };
        Ok(Self(Arc::new(Inner { under, held: Mutex::new(Some(held)) })))
    }

    /// Does to the file what was held back, and holds nothing back any more.
    pub(crate) fn release(&self) -> io::Result<()> {
        let mut held = self.held();
        for step in held.take().into_iter().flat_map(|held| held.steps) {
            match step {
                Step::Write { offset, data } => self.0.under.write(offset, &data)?,
                Step::Len(len) => self.0.under.set_len(len)?,
                Step::Sync => self.0.under.sync_data()?,
            }
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for Stage {
    fn len(&self) -> io::Result<u64> {
        match &*self.held() {
            Some(held) => Ok(held.len),
            None => self.0.under.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &*self.held() {
            Some(held) => held.read(self.0.under.as_ref(), offset, out),
            None => self.0.under.read(offset, out),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        match &mut *self.held() {
            Some(held) => {
                held.len = len;
                held.steps.push(Step::Len(len));
                Ok(())
            }
            None => self.0.under.set_len(len),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        match &mut *self.held() {
            Some(held) => {
                held.steps.push(Step::Sync);
                Ok(())
            }
            None => self.0.under.sync_data(),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        match &mut *self.held() {
            Some(held) => {
                held.steps.push(Step::Write { offset, data: data.to_vec() });
                Ok(())
            }
            None => self.0.under.write(offset, data),
        }
    }
}

impl Held {
    /// The file as it would be.
    fn read(&self, under: &dyn StorageBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        let there = usize::try_from(under.len()?.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (old, _) = out.split_at_mut(there.min(out.len()));
        if !old.is_empty() {
            under.read(offset, old)?;
        }
        for step in &self.steps {
            match step {
                Step::Write { offset: at, data } => overlay(out, offset, *at, data),
                // What was cut off comes back as zeros.
                Step::Len(len) => {
                    let kept = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX);
                    out.iter_mut().skip(kept).for_each(|byte| *byte = 0);
                }
                Step::Sync => {}
            }
        }
        Ok(())
    }
}

/// Writes those of `data`, which begins at `at`, that lie in the window `out`, which begins at `offset`.
fn overlay(out: &mut [u8], offset: u64, at: u64, data: &[u8]) {
    let before = usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
    let skipped = usize::try_from(offset.saturating_sub(at)).unwrap_or(usize::MAX);
    let (Some(out), Some(data)) = (out.get_mut(before..), data.get(skipped..)) else { return };
    for (to, from) in out.iter_mut().zip(data) {
        *to = *from;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    pub(crate) fn whole(file: &dyn StorageBackend) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
        file.read(0, &mut bytes).unwrap();
        bytes
    }

    /// A file in memory that its owner can look at while another holds it.
    #[derive(Clone, Debug)]
    pub(crate) struct Seen(Arc<InMemoryBackend>);

    impl Seen {
        pub(crate) fn new(bytes: &[u8]) -> Self {
            let file = InMemoryBackend::new();
            file.set_len(bytes.len() as u64).unwrap();
            file.write(0, bytes).unwrap();
            Self(Arc::new(file))
        }
    }

    impl StorageBackend for Seen {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.0.read(offset, out)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }
        fn sync_data(&self) -> io::Result<()> {
            self.0.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.0.write(offset, data)
        }
    }

    #[test]
    fn what_is_held_is_read_back_and_reaches_the_file_on_release() {
        let file = Seen::new(b"abcdefgh");
        let stage = Stage::over(Box::new(file.clone())).unwrap();
        stage.write(2, b"XY").unwrap();
        stage.set_len(5).unwrap();
        stage.sync_data().unwrap();
        stage.set_len(10).unwrap();
        stage.write(8, b"Z").unwrap();
        let seen = b"abXYe\0\0\0Z\0";
        assert_eq!(whole(&stage), seen);
        for from in 0..10_usize {
            for to in from..=10 {
                let mut window = vec![7; to - from];
                stage.read(from as u64, &mut window).unwrap();
                assert_eq!(window, seen[from..to], "{from}..{to}");
            }
        }
        assert_eq!(stage.read(9, &mut [0; 2]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(whole(&file), b"abcdefgh");
        stage.release().unwrap();
        assert_eq!(whole(&file), seen);
        stage.write(0, b"!").unwrap();
        assert_eq!(whole(&file), b"!bXYe\0\0\0Z\0");
        assert_eq!(whole(&stage), whole(&file));
    }
}
