//! Functions on descriptors that move no content: what they are, where they stand, their sizes and times.

use super::call::{Args, Call, Record};
use super::disk::{FileType, Node, Times};
use super::errno::{Errno, Limit, Stop};
use super::process::{Descriptor, Target};

/// Bits of rights: only these two are kept apart.
const RIGHT_READ: u64 = 1 << 1;
const RIGHT_WRITE: u64 = 1 << 6;
const RIGHT_SEEK: u64 = 1 << 2;
const RIGHT_TELL: u64 = 1 << 5;
const ALL_RIGHTS: u64 = (1 << 30) - 1;
/// Flags of an open file.
pub(super) const FLAG_APPEND: u16 = 1;
pub(super) const ALL_FLAGS: u32 = 0b1_1111;
/// The device that all files are on.
const DEVICE: u64 = 1;
const CHARACTER_DEVICE: u8 = 2;
/// Advice is numbered up to this.
const LAST_ADVICE: u32 = 5;

impl FileType {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Directory => 3,
            Self::File => 4,
        }
    }
}

/// Whether rights ask for reading, and for writing.
pub(super) const fn reads(rights: u64) -> bool {
    rights & RIGHT_READ != 0
}

/// Whether rights ask for writing.
pub(super) const fn writes(rights: u64) -> bool {
    rights & RIGHT_WRITE != 0
}

impl Call<'_> {
    /// The node of an open file; a stream has none, a directory is not one.
    pub(super) fn file(&self, descriptor: u32) -> Result<u64, Errno> {
        match self.process.descriptor(descriptor)?.target {
            Target::File(node) => Ok(node),
            Target::Directory { .. } => Err(Errno::Badf),
            Target::Input | Target::Print(_) => Err(Errno::Spipe),
        }
    }

    /// The node of a file that is open for writing.
    pub(super) fn writable(&self, descriptor: u32) -> Result<u64, Errno> {
        match self.process.descriptor(descriptor)? {
            Descriptor { target: Target::File(node), access, .. } if access.writes => Ok(*node),
            Descriptor { target: Target::File(_) | Target::Directory { .. }, .. } => Err(Errno::Badf),
            _ => Err(Errno::Inval),
        }
    }

    pub(super) fn write_filestat(&mut self, at: u32, number: u64) -> Result<(), Stop> {
        let node = self.disk.node(number).ok_or(Errno::Badf)?;
        let stat = filestat(number, node);
        Ok(self.memory.write(at, &stat.0)?)
    }
}

fn filestat(number: u64, node: &Node) -> Record<64> {
    let Times { accessed, modified, changed } = node.times;
    Record::new()
        .put(0, &DEVICE.to_le_bytes())
        .put(8, &number.to_le_bytes())
        .put(16, &[node.file_type().code()])
        .put(24, &u64::from(node.links).to_le_bytes())
        .put(32, &node.size_bytes().to_le_bytes())
        .put(40, &accessed.to_le_bytes())
        .put(48, &modified.to_le_bytes())
        .put(56, &changed.to_le_bytes())
}

/// Which times to set: as given, to now, or not at all.
pub(super) fn times(
    accessed: u64,
    modified: u64,
    flags: u32,
    now_ns: u64,
) -> Result<(Option<u64>, Option<u64>), Errno> {
    let pick = |flags: u32, given: u64| match flags {
        0 => Ok(None),
        1 => Ok(Some(given)),
        2 => Ok(Some(now_ns)),
        _ => Err(Errno::Inval),
    };
    if flags > 0b1111 {
        return Err(Errno::Inval);
    }
    Ok((pick(flags & 0b11, accessed)?, pick(flags >> 2, modified)?))
}

pub(super) fn fd_close(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let closed = call.process.remove(args.int(0))?;
    if let Some(node) = closed.target.node() {
        call.disk.close(node);
    }
    Ok(())
}

/// Moves a descriptor over another open one, which is closed.
pub(super) fn fd_renumber(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (from, to) = (args.int(0), args.int(1));
    call.process.descriptor(from)?;
    call.process.descriptor(to)?;
    if from == to {
        return Ok(());
    }
    let closed = call.process.remove(to)?;
    if let Some(node) = closed.target.node() {
        call.disk.close(node);
    }
    let moved = call.process.remove(from)?;
    call.process.replace(to, moved);
    Ok(())
}

/// Every write is on the disk at once: what is left to do is to say whether it could be asked for.
pub(super) fn fd_sync(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    match call.process.descriptor(args.int(0))?.target {
        Target::File(_) | Target::Directory { .. } => Ok(()),
        Target::Input | Target::Print(_) => Err(Errno::Inval.into()),
    }
}

pub(super) fn fd_advise(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    call.file(args.int(0))?;
    let end = args.long(1).checked_add(args.long(2));
    if end.is_none() || args.int(3) > LAST_ADVICE { Err(Errno::Inval.into()) } else { Ok(()) }
}

/// Makes a file at least so long.
pub(super) fn fd_allocate(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let file = call.writable(args.int(0))?;
    if args.long(2) == 0 {
        return Err(Errno::Inval.into());
    }
    let end = args.long(1).checked_add(args.long(2)).ok_or(Limit::FileBytes)?;
    if end > call.disk.contents(file)?.size_bytes() {
        call.charge_growth(file, end)?;
        let now_ns = call.now_ns();
        call.disk.resize(file, end, now_ns)?;
    }
    Ok(())
}

pub(super) fn fd_fdstat_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let Descriptor { target, flags, access, .. } = call.process.descriptor(args.int(0))?;
    let mut rights = ALL_RIGHTS;
    let kind = match target {
        // As a terminal, so that C libraries pass lines on as they end.
        Target::Input | Target::Print(_) => {
            rights &= !(RIGHT_SEEK | RIGHT_TELL);
            CHARACTER_DEVICE
        }
        Target::File(_) => FileType::File.code(),
        Target::Directory { .. } => FileType::Directory.code(),
    };
    if !matches!(target, Target::Directory { .. }) {
        rights &= !if access.reads { 0 } else { RIGHT_READ };
        rights &= !if access.writes { 0 } else { RIGHT_WRITE };
    }
    let stat = Record::<24>::new()
        .put(0, &[kind])
        .put(2, &flags.to_le_bytes())
        .put(8, &rights.to_le_bytes())
        .put(16, &ALL_RIGHTS.to_le_bytes());
    Ok(call.memory.write(args.int(1), &stat.0)?)
}

pub(super) fn fd_fdstat_set_flags(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let descriptor = call.process.descriptor_mut(args.int(0))?;
    if args.int(1) > ALL_FLAGS {
        return Err(Errno::Inval.into());
    }
    descriptor.flags = args.int(1) as u16;
    Ok(())
}

/// Gives up reading or writing; neither can be got back.
pub(super) fn fd_fdstat_set_rights(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let rights = args.long(1);
    let descriptor = call.process.descriptor(args.int(0))?;
    if matches!(descriptor.target, Target::Directory { .. }) {
        return Ok(());
    }
    let access = descriptor.access;
    if reads(rights) && !access.reads || writes(rights) && !access.writes {
        return Err(Errno::Notcapable.into());
    }
    let access = &mut call.process.descriptor_mut(args.int(0))?.access;
    access.reads = reads(rights);
    access.writes = writes(rights);
    Ok(())
}

pub(super) fn fd_filestat_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    match call.process.descriptor(args.int(0))?.target.node() {
        Some(node) => call.write_filestat(args.int(1), node),
        None => {
            let stat = Record::<64>::new().put(16, &[CHARACTER_DEVICE]).put(24, &1u64.to_le_bytes());
            Ok(call.memory.write(args.int(1), &stat.0)?)
        }
    }
}

pub(super) fn fd_filestat_set_size(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let file = call.writable(args.int(0))?;
    call.charge_growth(file, args.long(1))?;
    let now_ns = call.now_ns();
    call.disk.resize(file, args.long(1), now_ns)
}

pub(super) fn fd_filestat_set_times(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let node = call.process.descriptor(args.int(0))?.target.node().ok_or(Errno::Inval)?;
    let now_ns = call.now_ns();
    let (accessed, modified) = times(args.long(1), args.long(2), args.int(3), now_ns)?;
    call.disk.set_times(node, accessed, modified, now_ns)
}

pub(super) fn fd_prestat_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let Target::Directory { preopen: Some(name), .. } = &call.process.descriptor(args.int(0))?.target else {
        return Err(Errno::Badf.into());
    };
    let stat = Record::<8>::new().put(4, &(name.len() as u32).to_le_bytes());
    Ok(call.memory.write(args.int(1), &stat.0)?)
}

/// Writes a preopened directory's name, without a zero; there has to be room for all of it.
pub(super) fn fd_prestat_dir_name(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let Target::Directory { preopen: Some(name), .. } = &call.process.descriptor(args.int(0))?.target else {
        return Err(Errno::Badf.into());
    };
    let name = name.clone();
    if (args.int(2) as usize) < name.len() {
        return Err(Errno::Nametoolong.into());
    }
    call.charge_bytes(name.len() as u64)?;
    Ok(call.memory.write(args.int(1), name.as_bytes())?)
}

pub(super) fn fd_seek(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let file = call.file(args.int(0))?;
    call.memory.check(args.int(3), 8)?;
    let from = match args.int(2) {
        0 => 0,
        1 => call.process.descriptor(args.int(0))?.position,
        2 => call.disk.contents(file)?.size_bytes(),
        _ => return Err(Errno::Inval.into()),
    };
    let to = from.checked_add_signed(args.long(1) as i64).ok_or(Errno::Inval)?;
    if to > i64::MAX as u64 {
        return Err(Errno::Inval.into());
    }
    call.process.descriptor_mut(args.int(0))?.position = to;
    call.write_u64(args.int(3), to)
}

pub(super) fn fd_tell(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    call.file(args.int(0))?;
    let position = call.process.descriptor(args.int(0))?.position;
    call.write_u64(args.int(1), position)
}

/// Nothing that is open is a socket.
pub(super) fn no_socket(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    call.process.descriptor(args.int(0))?;
    Err(Errno::Notsock.into())
}
