//! Functions on paths.

use super::call::{Args, Call};
use super::cost::ITEM;
use super::descriptors::{ALL_FLAGS, reads, times, writes};
use super::disk::FileType;
use super::errno::{Errno, Stop};
use super::path::{Place, follow};
use super::process::{Access, Descriptor, Target};

/// Flags of opening.
const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;
const ALL_OPEN_FLAGS: u32 = 0b1111;
/// The only flag of looking up: to follow a symbolic link, which there is none of.
const ALL_LOOKUP_FLAGS: u32 = 1;

impl Call<'_> {
    /// Reads a path of arguments and follows it; `last` takes its place.
    fn at<T>(
        &mut self,
        descriptor: u32,
        (pointer, size_bytes): (u32, u32),
        last: impl FnOnce(&mut Self, Place<'_>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let from = self.directory(descriptor)?;
        let path = self.path(pointer, size_bytes)?;
        let place = follow(self.disk, from, &path)?;
        last(self, place)
    }

    /// A path to a node that is there.
    fn node_at(&mut self, descriptor: u32, path: (u32, u32)) -> Result<u64, Stop> {
        self.at(descriptor, path, |call, place| place.node(call.disk))
    }
}

pub(super) fn path_create_directory(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    call.at(args.int(0), (args.int(1), args.int(2)), |call, place| match place {
        Place::Directory(_) => Err(Errno::Exist.into()),
        Place::Name { parent, name, .. } => {
            call.charge_directory(parent)?;
            let now_ns = call.now_ns();
            call.disk.create_directory(parent, name, now_ns).map(|_| ())
        }
    })
}

pub(super) fn path_remove_directory(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    call.at(args.int(0), (args.int(1), args.int(2)), |call, place| match place {
        Place::Directory(_) => Err(Errno::Inval.into()),
        Place::Name { parent, name, .. } => {
            call.charge_directory(parent)?;
            let now_ns = call.now_ns();
            call.disk.remove_directory(parent, name, now_ns)
        }
    })
}

pub(super) fn path_unlink_file(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    call.at(args.int(0), (args.int(1), args.int(2)), |call, place| match place {
        Place::Directory(_) => Err(Errno::Isdir.into()),
        Place::Name { parent, name, slash } => {
            if slash {
                let node = place.node(call.disk)?;
                call.disk.contents(node)?;
            }
            call.charge_directory(parent)?;
            let now_ns = call.now_ns();
            call.disk.unlink(parent, name, now_ns)
        }
    })
}

pub(super) fn path_filestat_get(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    check_lookup(args.int(1))?;
    let node = call.node_at(args.int(0), (args.int(2), args.int(3)))?;
    call.write_filestat(args.int(4), node)
}

pub(super) fn path_filestat_set_times(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    check_lookup(args.int(1))?;
    let node = call.node_at(args.int(0), (args.int(2), args.int(3)))?;
    let now_ns = call.now_ns();
    let (accessed, modified) = times(args.long(4), args.long(5), args.int(6), now_ns)?;
    call.disk.set_times(node, accessed, modified, now_ns)
}

pub(super) fn path_link(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    check_lookup(args.int(1))?;
    let file = call.node_at(args.int(0), (args.int(2), args.int(3)))?;
    call.at(args.int(4), (args.int(5), args.int(6)), |call, place| match place {
        Place::Directory(_) => Err(Errno::Exist.into()),
        Place::Name { slash: true, .. } => Err(Errno::Noent.into()),
        Place::Name { parent, name, .. } => {
            call.charge_directory(parent)?;
            let now_ns = call.now_ns();
            call.disk.link(file, parent, name, now_ns)
        }
    })
}

pub(super) fn path_rename(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    let (from, to) = (call.directory(args.int(0))?, call.directory(args.int(3))?);
    let (old, new) = (call.path(args.int(1), args.int(2))?, call.path(args.int(4), args.int(5))?);
    let (old, new) = (follow(call.disk, from, &old)?, follow(call.disk, to, &new)?);
    let (
        Place::Name { parent: from, name: old, slash: old_slash },
        Place::Name { parent: to, name: new, slash: new_slash },
    ) = (old, new)
    else {
        return Err(Errno::Inval.into());
    };
    let kind = call.disk.lookup(from, old)?.map(|entry| entry.kind);
    if kind == Some(FileType::File) && (old_slash || new_slash) {
        return Err(Errno::Notdir.into());
    }
    call.charge_directory(from)?;
    call.charge_directory(to)?;
    if kind == Some(FileType::Directory) {
        // All that is below may be looked at, to see how deep it is.
        call.charge(u64::from(call.disk.used_entries()) * ITEM)?;
    }
    let now_ns = call.now_ns();
    call.disk.rename((from, old), (to, new), now_ns)
}

/// A link that is not made, as on file systems that have none.
pub(super) fn path_symlink(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    call.path(args.int(0), args.int(1))?;
    call.at(args.int(2), (args.int(3), args.int(4)), |call, place| match place.node(call.disk) {
        Ok(_) => Err(Errno::Exist.into()),
        Err(Stop::Errno(Errno::Noent)) => Err(Errno::Perm.into()),
        Err(other) => Err(other),
    })
}

/// Nothing is a link.
pub(super) fn path_readlink(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    call.node_at(args.int(0), (args.int(1), args.int(2)))?;
    Err(Errno::Inval.into())
}

pub(super) fn path_open(call: &mut Call<'_>, args: Args<'_>) -> Result<(), Stop> {
    check_lookup(args.int(1))?;
    let (how, rights, flags, told) = (args.int(4), args.long(5), args.int(7), args.int(8));
    if how > ALL_OPEN_FLAGS || flags > ALL_FLAGS || how & CREATE != 0 && how & DIRECTORY != 0 {
        return Err(Errno::Inval.into());
    }
    call.directory(args.int(0))?;
    call.process.check_room(call.disk.limits().descriptors)?;
    call.memory.check(told, 4)?;
    let access = Access { reads: reads(rights), writes: writes(rights) };
    let path = (args.int(2), args.int(3));
    let (node, kind) = call.at(args.int(0), path, |call, place| open(call, place, how, access))?;
    call.disk.open(node);
    let target = match kind {
        FileType::File => Target::File(node),
        FileType::Directory => Target::Directory { node, preopen: None, listing: None },
    };
    let opened = call.process.add(Descriptor { target, position: 0, flags: flags as u16, access });
    call.write_u32(told, opened)
}

/// Finds what is to be opened, or makes it.
fn open(call: &mut Call<'_>, place: Place<'_>, how: u32, access: Access) -> Result<(u64, FileType), Stop> {
    if how & TRUNCATE != 0 && !access.writes {
        return Err(Errno::Inval.into());
    }
    let (node, kind, slash) = match place {
        Place::Directory(node) => (node, FileType::Directory, true),
        Place::Name { parent, name, slash } => match call.disk.lookup(parent, name)? {
            Some(entry) => (entry.node, entry.kind, slash),
            None if how & CREATE == 0 => return Err(Errno::Noent.into()),
            None if slash => return Err(Errno::Isdir.into()),
            None => {
                call.charge_directory(parent)?;
                let now_ns = call.now_ns();
                return Ok((call.disk.create_file(parent, name, now_ns)?, FileType::File));
            }
        },
    };
    if how & CREATE != 0 && how & EXCLUSIVE != 0 {
        return Err(Errno::Exist.into());
    }
    match kind {
        FileType::Directory if how & (CREATE | TRUNCATE) != 0 => Err(Errno::Isdir.into()),
        // Who asks for a directory may ask for all rights that the one above has.
        FileType::Directory if access.writes && how & DIRECTORY == 0 => Err(Errno::Isdir.into()),
        FileType::File if slash || how & DIRECTORY != 0 => Err(Errno::Notdir.into()),
        FileType::File if how & TRUNCATE != 0 => {
            let now_ns = call.now_ns();
            call.disk.resize(node, 0, now_ns)?;
            Ok((node, kind))
        }
        _ => Ok((node, kind)),
    }
}

fn check_lookup(flags: u32) -> Result<(), Errno> {
    if flags > ALL_LOOKUP_FLAGS { Err(Errno::Inval) } else { Ok(()) }
}
