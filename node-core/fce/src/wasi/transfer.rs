//! Functions that move content: of files, streams and directories.

use std::sync::Arc;

use super::call::{Args, Call, Record};
use super::contents::CHUNK_BYTES;
use super::cost::ITEM;
use super::descriptors::FLAG_APPEND;
use super::disk::{Entries, FileType};
use super::errno::{Errno, Limit, Stop};
use super::process::{Descriptor, Target};
use super::report::Stream;

/// Bytes moved at once.
const STEP_BYTES: usize = CHUNK_BYTES as usize;
/// Bytes of a directory entry before its name.
const ENTRY_HEAD: u64 = 24;
/// Entries before those that have names of their own: `.` and `..`.
const DOTS: u64 = 2;

/// A buffer of the module: where, and how long.
type Buffer = (u32, u32);

impl Call<'_> {
    /// Reads a list of buffers, and checks that all are inside; their length together, which fits what is answered.
    fn buffers(&mut self, at: u32, count: u32) -> Result<(Vec<Buffer>, u32), Stop> {
        if count > self.disk.limits().iovecs {
            return Err(Limit::Iovecs.into());
        }
        self.charge(u64::from(count) * ITEM)?;
        self.memory.check(at, u64::from(count) * 8)?;
        let mut buffers = Vec::with_capacity(count as usize);
        let mut total: u32 = 0;
        for index in 0..count {
            // Inside, as all of the list is.
            let [a, b, c, d, e, f, g, h] = self.read(at.wrapping_add(index * 8))?;
            let buffer = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
            self.memory.check(buffer.0, buffer.1.into())?;
            total = total.checked_add(buffer.1).ok_or(Errno::Inval)?;
            buffers.push(buffer);
        }
        Ok((buffers, total))
    }

    /// Reads a file from a position into the buffers; how much there was.
    fn scatter(&mut self, file: u64, from: u64, buffers: &[Buffer]) -> Result<u32, Stop> {
        let mut step = [0; STEP_BYTES];
        let mut done = 0;
        for (at, size_bytes) in buffers {
            let mut filled = 0;
            while filled < *size_bytes {
                let Some(position) = from.checked_add(u64::from(done)) else { return Ok(done) };
                // To the end of the chunk, so that each is read once.
                let chunk_left = CHUNK_BYTES - position % CHUNK_BYTES;
                let length = chunk_left.min(u64::from(size_bytes - filled)) as usize;
                let read =
                    self.disk.contents(file)?.read(position, step.get_mut(..length).unwrap_or_default());
                self.memory.write(at.wrapping_add(filled), step.get(..read).unwrap_or_default())?;
                filled += read as u32;
                done += read as u32;
                if read < length {
                    return Ok(done);
                }
            }
        }
        Ok(done)
    }

    /// Takes the buffers' bytes, piece by piece.
    fn gather(
        &mut self,
        buffers: &[Buffer],
        mut take: impl FnMut(&mut Self, &[u8]) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut step = [0; STEP_BYTES];
        for (at, size_bytes) in buffers {
            let mut taken = 0;
            while taken < *size_bytes {
                let length = STEP_BYTES.min((size_bytes - taken) as usize);
                let piece = step.get_mut(..length).unwrap_or_default();
                self.memory.read(at.wrapping_add(taken), piece)?;
                take(self, piece)?;
                taken += length as u32;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, file: u64, from: u64, (at, count): Buffer, told: u32) -> Result<u32, Stop> {
        self.memory.check(told, 4)?;
        let (buffers, total) = self.buffers(at, count)?;
        let there = self.disk.contents(file)?.size_bytes().saturating_sub(from);
        self.charge_bytes(there.min(total.into()))?;
        let read = self.scatter(file, from, &buffers)?;
        self.write_u32(told, read)?;
        Ok(read)
    }

    /// Writes all or nothing; the position after it.
    fn write_file(&mut self, file: u64, from: u64, (at, count): Buffer, told: u32) -> Result<u64, Stop> {
        self.memory.check(told, 4)?;
        let (buffers, total) = self.buffers(at, count)?;
        let end = from.checked_add(total.into()).ok_or(Limit::FileBytes)?;
        if total > 0 {
            self.disk.check_growth(file, end)?;
            self.charge_growth(file, end)?;
            self.charge_bytes(total.into())?;
            let now_ns = self.now_ns();
            let mut position = from;
            self.gather(&buffers, |call, piece| {
                call.disk.write(file, position, piece, now_ns)?;
                position += piece.len() as u64;
                Ok(())
            })?;
        }
        self.write_u32(told, total)?;
        Ok(end)
    }

    fn print(&mut self, stream: Stream, (at, count): Buffer, told: u32) -> Result<(), Stop> {
        self.memory.check(told, 4)?;
        let (buffers, total) = self.buffers(at, count)?;
        self.charge_bytes(total.into())?;
        let limit_bytes = self.disk.limits().output_bytes;
        let module = Arc::clone(self.process.shared_name());
        self.gather(&buffers, |call, piece| {
            call.report.print(&module, stream, piece, limit_bytes);
            Ok(())
        })?;
        self.write_u32(told, total)
    }

    /// A file that is open for reading.
    fn readable(&self, descriptor: u32) -> Result<(u64, u64), Errno> {
        match self.process.descriptor(descriptor)? {
            Descriptor { target: Target::Directory { .. }, .. } => Err(Errno::Isdir),
            Descriptor { access, .. } if !access.reads => Err(Errno::Badf),
            Descriptor { target: Target::File(node), position, .. } => Ok((*node, *position)),
            _ => Err(Errno::Spipe),
        }
    }
}

pub(super) fn fd_read(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (descriptor, list, told) = (args.int(0), (args.int(1), args.int(2)), args.int(3));
    let open = call.process.descriptor(descriptor)?;
    if open.target == Target::Input && open.access.reads {
        call.buffers(list.0, list.1)?;
        return call.write_u32(told, 0);
    }
    let (file, position) = call.readable(descriptor).map_err(|errno| match errno {
        Errno::Spipe => Errno::Badf,
        other => other,
    })?;
    let read = call.read_file(file, position, list, told)?;
    call.process.descriptor_mut(descriptor)?.position = position.saturating_add(read.into());
    Ok(())
}

pub(super) fn fd_pread(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (file, _) = call.readable(args.int(0))?;
    call.read_file(file, args.long(3), (args.int(1), args.int(2)), args.int(4)).map(|_| ())
}

pub(super) fn fd_write(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (descriptor, list, told) = (args.int(0), (args.int(1), args.int(2)), args.int(3));
    let open = call.process.descriptor(descriptor)?;
    if !open.access.writes {
        return Err(Errno::Badf.into());
    }
    match open.target {
        Target::Print(stream) => call.print(stream, list, told),
        Target::File(file) => {
            let appends = open.flags & FLAG_APPEND != 0;
            let from = if appends { call.disk.contents(file)?.size_bytes() } else { open.position };
            let end = call.write_file(file, from, list, told)?;
            call.process.descriptor_mut(descriptor)?.position = end;
            Ok(())
        }
        Target::Input | Target::Directory { .. } => Err(Errno::Badf.into()),
    }
}

/// Writes where it is told to, even if the file is open for appending.
pub(super) fn fd_pwrite(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let open = call.process.descriptor(args.int(0))?;
    match open.target {
        _ if !open.access.writes => Err(Errno::Badf.into()),
        Target::File(file) => {
            call.write_file(file, args.long(3), (args.int(1), args.int(2)), args.int(4)).map(|_| ())
        }
        Target::Directory { .. } => Err(Errno::Badf.into()),
        Target::Input | Target::Print(_) => Err(Errno::Spipe.into()),
    }
}

/// Lists a directory by name, after `.` and `..`. A cookie is a place in what was there as the listing began, at cookie
/// 0; the listing ends as a buffer is not filled.
pub(super) fn fd_readdir(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (descriptor, at, room, told) = (args.int(0), args.int(1), args.int(2), args.int(4));
    let directory = call.directory(descriptor)?;
    call.memory.check(told, 4)?;
    call.memory.check(at, room.into())?;
    let listing = listing(call, descriptor, directory, args.long(3))?;
    let parent = call.disk.parent(directory).unwrap_or(directory);
    let mut cookie = args.long(3);
    let mut used = 0;
    while used < room {
        let (node, kind, name) = match cookie {
            0 => (directory, FileType::Directory, "."),
            1 => (parent, FileType::Directory, ".."),
            _ => match usize::try_from(cookie - DOTS).ok().and_then(|place| listing.get(place)) {
                Some(entry) => (entry.node, entry.kind, &*entry.name),
                None => break,
            },
        };
        cookie += 1;
        let head = Record::<{ ENTRY_HEAD as usize }>::new()
            .put(0, &cookie.to_le_bytes())
            .put(8, &node.to_le_bytes())
            .put(16, &(name.len() as u32).to_le_bytes())
            .put(20, &[kind.code()]);
        call.charge(ITEM)?;
        // What does not fit is cut: the caller sees a full buffer and asks again with the last cookie that it has.
        for part in [&head.0, name.as_bytes()] {
            let length = part.len().min((room - used) as usize);
            call.memory.write(at.wrapping_add(used), part.get(..length).unwrap_or_default())?;
            used += length as u32;
        }
    }
    call.charge_bytes(used.into())?;
    let ended = used < room;
    if let Target::Directory { listing: kept, .. } = &mut call.process.descriptor_mut(descriptor)?.target {
        *kept = if ended { None } else { Some(listing) };
    }
    call.write_u32(told, used)
}

/// What is being listed: from its beginning what is there, and from then on the same.
fn listing(call: &Call<'_>, descriptor: u32, directory: u64, cookie: u64) -> Result<Entries, Stop> {
    match &call.process.descriptor(descriptor)?.target {
        Target::Directory { listing: Some(kept), .. } if cookie > 0 => Ok(Arc::clone(kept)),
        _ => Ok(Arc::clone(call.disk.entries(directory)?)),
    }
}
