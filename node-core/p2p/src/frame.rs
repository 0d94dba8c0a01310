//! Frames on a stream: an unsigned varint, the length, and as many bytes.
//!
//! It cuts frames and bounds them; what they say is `wire`'s. Memory grows with the bytes that have arrived, never
//! with the length that was promised.

use std::io;

use libp2p::futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use node::DecodeFailure;
use wire::MAX_BODY_BYTES;

/// Bytes of a length, at most: three times seven bits hold [`MAX_BODY_BYTES`].
const MAX_LENGTH_BYTES: usize = 3;
const _: () = assert!(MAX_BODY_BYTES < 1 << (7 * MAX_LENGTH_BYTES));

/// Why no frame was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The bytes are no frame.
    #[error(transparent)]
    Malformed(#[from] DecodeFailure),
    /// The stream ended within a frame: whoever wrote it may have died, which breaks no rule.
    #[error("stream ended within a frame")]
    CutShort,
    /// The stream failed.
    #[error(transparent)]
    Stream(#[from] io::Error),
}

/// The next frame, its length included; `None` if the stream ended before it.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Vec<u8>>, FrameError> {
    let mut frame = Vec::new();
    let mut len = 0_usize;
    for place in 0..=MAX_LENGTH_BYTES {
        if place == MAX_LENGTH_BYTES {
            return Err(DecodeFailure::TooLong.into());
        }
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return if frame.is_empty() { Ok(None) } else { Err(FrameError::CutShort) };
        }
        let [byte] = byte;
        frame.push(byte);
        len |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            break;
        }
    }
    if len > MAX_BODY_BYTES {
        return Err(DecodeFailure::TooLong.into());
    }
    let read = stream.take(len as u64).read_to_end(&mut frame).await?;
    if read < len { Err(FrameError::CutShort) } else { Ok(Some(frame)) }
}

/// Writes a whole frame.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    stream.write_all(frame).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::futures::executor::block_on;
    use libp2p::futures::io::Cursor;

    fn read_from(bytes: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        block_on(read(&mut Cursor::new(bytes.to_vec())))
    }

    #[test]
    fn frames_are_cut_one_by_one() {
        let mut stream = Cursor::new(vec![2, 7, 8, 0, 1, 9]);
        for frame in [Some(vec![2, 7, 8]), Some(vec![0]), Some(vec![1, 9]), None] {
            assert_eq!(block_on(read(&mut stream)).unwrap(), frame);
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_by_name() {
        let malformed = |bytes: &[u8]| match read_from(bytes) {
            Err(FrameError::Malformed(reason)) => Some(reason),
            Err(FrameError::CutShort | FrameError::Stream(_)) | Ok(_) => None,
        };
        assert_eq!(malformed(&[0xff, 0xff, 0xff, 0xff]), Some(DecodeFailure::TooLong));
        assert_eq!(malformed(&[0xff, 0xff, 0x7f, 1]), Some(DecodeFailure::TooLong));
    }

    #[test]
    fn a_stream_that_ends_within_a_frame_is_cut_short_and_not_malformed() {
        let whole = [&[0x82, 0x01][..], &[7; 130]].concat();
        assert_eq!(read_from(&whole).unwrap().as_deref(), Some(&whole[..]));
        for len in 1..whole.len() {
            let cut = read_from(&whole[..len]);
            assert!(matches!(cut, Err(FrameError::CutShort)), "{len}: {cut:?}");
        }
    }
}
