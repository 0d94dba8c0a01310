//! Arguments, environment, clocks, entropy, waiting, ends.

use super::*;

#[test]
fn there_are_no_arguments() {
    let mut guest = Guest::new();
    guest.ok("args_sizes_get", &[TOLD.into(), (TOLD + 4).into()]);
    assert_eq!(guest.get(TOLD, 8), [0; 8]);
    guest.ok("args_get", &[0, 0]);
}

#[test]
fn the_environment_is_pointers_to_texts_that_end_in_zero() {
    let mut guest = Guest::new();
    guest.ok("environ_sizes_get", &[TOLD.into(), (TOLD + 4).into()]);
    assert_eq!((guest.u32(TOLD), guest.u32(TOLD + 4)), (2, 15 + 7));
    guest.ok("environ_get", &[TOLD.into(), DATA.into()]);
    assert_eq!((guest.u32(TOLD), guest.u32(TOLD + 4)), (DATA, DATA + 15));
    assert_eq!(guest.get(DATA, 23), b"service_id=abc\0EMPTY=\0\xaa");
    // To the last byte of the memory, and not past it.
    let last = MEMORY_BYTES as i64 - 22;
    guest.ok("environ_get", &[TOLD.into(), last]);
    assert_eq!(guest.call("environ_get", &[TOLD.into(), last + 1]), Errno::Fault);
    assert_eq!(guest.call("environ_get", &[MEMORY_BYTES as i64 - 4, DATA.into()]), Errno::Fault);
}

#[test]
fn what_cannot_be_told_to_a_module_is_refused_at_setup() {
    let mut disk = Disk::new(DiskLimits { descriptors: 5, ..DiskLimits::default() });
    let mut setup = |name: &str, value: &str, guests: &[&str]| {
        let preopens: Vec<Preopen> =
            guests.iter().map(|guest| Preopen { guest: (*guest).into(), folder: "f".into() }).collect();
        Process::new("m", vec![(name.into(), value.into())], &preopens, &mut disk, NOW)
            .unwrap_err()
            .to_string()
    };
    let variable = "has a zero byte, or `=` in its name, or no name";
    assert_eq!(setup("a=b", "", &[]), format!("environment variable `a=b` {variable}"));
    assert_eq!(setup("a", "\0", &[]), format!("environment variable `a` {variable}"));
    assert_eq!(
        setup("a", &"x".repeat(ENVIRONMENT_BYTES), &[]),
        "environment of 131075 bytes, of at most 131072"
    );
    assert_eq!(setup("a", "", &[""]), "preopened directory `` has a zero byte in its name, or no name");
    let three = "3 preopened directories, of at most 5 descriptors of a module less the three streams";
    assert_eq!(setup("a", "", &["a", "b", "c"]), three);
}

#[test]
fn clocks_move_by_fuel_and_sleep_only() {
    let mut guest = Guest::new();
    guest.fuel.used = 10_000;
    let mut now = |clock: i64| {
        guest.fuel.used = 10_000 - cost::PLAIN;
        assert_eq!(guest.call("clock_time_get", &[clock, 1, DATA.into()]), Errno::Success);
        guest.u64(DATA)
    };
    assert_eq!([now(0), now(1), now(2), now(3)], [NOW + 5000, 6000, 5000, 5000]);
    assert_eq!(guest.call("clock_time_get", &[4, 1, DATA.into()]), Errno::Inval);
    assert_eq!(guest.call("clock_time_get", &[0, 1, MEMORY_BYTES as i64 - 7]), Errno::Fault);
    guest.ok("clock_res_get", &[1, DATA.into()]);
    assert_eq!(guest.u64(DATA), 1);
    assert_eq!(guest.call("clock_res_get", &[9, DATA.into()]), Errno::Inval);
    guest.outside = Outside::new([0; 32], 2001);
    guest.ok("clock_res_get", &[0, DATA.into()]);
    assert_eq!(guest.u64(DATA), 3);
}

#[test]
fn clocks_at_the_end_of_their_range_stand_still() {
    let mut guest = Guest::new();
    guest.outside = Outside::new([0; 32], u64::MAX);
    guest.outside.begin(u64::MAX, u64::MAX);
    guest.fuel = Fuel { used: u64::MAX / 2, budget: u64::MAX };
    guest.ok("clock_time_get", &[0, 1, DATA.into()]);
    assert_eq!(guest.u64(DATA), u64::MAX);
}

#[test]
fn entropy_is_the_stream_of_its_seed_and_goes_on_where_it_was() {
    let mut guest = Guest::new();
    guest.ok("random_get", &[DATA.into(), 10_000]);
    let whole = guest.get(DATA, 10_000).to_vec();
    let mut parts = Guest::new();
    for (at, length) in [(0, 4), (4, 4000), (4004, 5996)] {
        parts.ok("random_get", &[i64::from(DATA) + at, length]);
    }
    assert_eq!(parts.get(DATA, 10_000), whole);
    // ChaCha20 of a seed of sevens, from its first block: as the crate gives it.
    let mut stream = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed([7; 32]);
    let mut expected = vec![0; 10_000];
    rand_core::Rng::fill_bytes(&mut stream, &mut expected);
    assert_eq!(whole, expected);
    // What was put back gives the same again.
    let before = parts.outside.clone();
    parts.ok("random_get", &[DATA.into(), 5]);
    let five = parts.get(DATA, 5).to_vec();
    parts.outside = before;
    parts.ok("random_get", &[DATA.into(), 5]);
    assert_eq!(parts.get(DATA, 5), five);
    assert_eq!(parts.get(DATA + 5, 1), [whole[5]]);
    // Of the second word one byte was taken, and the rest is nobody's.
    parts.ok("random_get", &[DATA.into(), 4]);
    rand_core::Rng::fill_bytes(&mut stream, &mut expected[..12]);
    assert_eq!(parts.get(DATA, 4), &expected[8..12]);
    assert_eq!(parts.call("random_get", &[DATA.into(), -1]), Errno::Fault);
}

#[test]
fn a_module_ends_itself_by_exit_and_signal() {
    let mut guest = Guest::new();
    assert_eq!(guest.run("proc_exit", &[3]), Err(Exit::Exited(3)));
    assert_eq!(guest.run("proc_raise", &[6]), Err(Exit::Raised(6)));
    assert_eq!(guest.run("proc_raise", &[0]), Ok(Errno::Success));
    assert_eq!(guest.run("proc_raise", &[31]), Ok(Errno::Inval));
    assert_eq!(guest.run("sched_yield", &[]), Ok(Errno::Success));
}

#[test]
fn nothing_is_a_socket() {
    let mut guest = Guest::new();
    for (name, rest) in [("sock_accept", 2), ("sock_recv", 5), ("sock_send", 4), ("sock_shutdown", 1)] {
        let mut args = vec![DATA_DIRECTORY];
        args.resize(1 + rest, 0);
        assert_eq!(guest.call(name, &args), Errno::Notsock);
        args[0] = 77;
        assert_eq!(guest.call(name, &args), Errno::Badf);
    }
}

impl Guest {
    fn subscribe(&mut self, index: u32, tag: u8, id: u32, timeout: u64, flags: u16) {
        let at = TEXT + index * 48;
        self.put(at, &[0; 48]);
        self.put(at, &u64::from(index + 100).to_le_bytes());
        self.put(at + 8, &[tag]);
        self.put(at + 16, &id.to_le_bytes());
        self.put(at + 24, &timeout.to_le_bytes());
        self.put(at + 40, &flags.to_le_bytes());
    }

    fn poll(&mut self, count: i64) -> Errno {
        self.call("poll_oneoff", &[TEXT.into(), DATA.into(), count, TOLD.into()])
    }

    /// User data, error and type of an event.
    fn event(&self, index: u32) -> (u64, u16, u8) {
        let at = DATA + index * 32;
        (self.u64(at), u16::from_le_bytes(self.get(at + 8, 2).try_into().unwrap()), self.get(at + 10, 1)[0])
    }
}

#[test]
fn sleeping_returns_at_once_and_moves_the_clocks() {
    let mut guest = Guest::new();
    guest.subscribe(0, 0, 1, 2_000_000_000, 0);
    guest.subscribe(1, 0, 1, 1_000_000_000, 0);
    assert_eq!(guest.poll(2), Errno::Success);
    assert_eq!(guest.u32(TOLD), 1);
    assert_eq!(guest.event(0), (101, 0, 0));
    assert_eq!(guest.outside.slept_ns(), 1_000_000_000);
    let used = guest.fuel.used + cost::PLAIN;
    guest.ok("clock_time_get", &[0, 1, DATA.into()]);
    assert_eq!(guest.u64(DATA), NOW + 1_000_000_000 + used / 2);
    guest.outside.begin(NOW, 0);
    assert_eq!(guest.outside.slept_ns(), 0);
}

#[test]
fn sleeping_until_a_time_ends_at_it_and_a_past_one_is_there() {
    let mut guest = Guest::new();
    guest.subscribe(0, 0, 0, NOW + 5_000_000, 1);
    assert_eq!(guest.poll(1), Errno::Success);
    let spent = (guest.fuel.used) / 2;
    assert_eq!(guest.outside.slept_ns() + spent, 5_000_000);
    guest.subscribe(0, 0, 0, NOW, 1);
    let before = guest.outside.slept_ns();
    assert_eq!(guest.poll(1), Errno::Success);
    assert_eq!(guest.outside.slept_ns(), before);
    guest.subscribe(0, 0, 0, u64::MAX, 0);
    assert_eq!((guest.poll(1), guest.poll(1)), (Errno::Success, Errno::Success));
    assert_eq!(guest.outside.slept_ns(), u64::MAX);
}

#[test]
fn descriptors_are_ready_at_once_and_wrong_ones_say_so() {
    let mut guest = Guest::new();
    let file = guest.open("f", CREATE, READ) as u32;
    guest.disk.write_file("data/f", b"12345", NOW).unwrap();
    guest.subscribe(0, 0, 1, 1_000_000_000, 0);
    guest.subscribe(1, 1, file, 0, 0);
    guest.subscribe(2, 2, 1, 0, 0);
    guest.subscribe(3, 1, 0, 0, 0);
    guest.subscribe(4, 1, 99, 0, 0);
    guest.subscribe(5, 2, file, 0, 0);
    guest.subscribe(6, 0, 2, 0, 0);
    guest.subscribe(7, 0, 8, 0, 0);
    assert_eq!(guest.poll(8), Errno::Success);
    assert_eq!(guest.u32(TOLD), 7);
    let all: Vec<_> = (0..7).map(|index| guest.event(index)).collect();
    let expected =
        [(101, 0, 1), (102, 0, 2), (103, 0, 1), (104, 8, 1), (105, 8, 2), (106, 58, 0), (107, 28, 0)];
    assert_eq!(all, expected);
    // What there is to read, and the end of standard input.
    assert_eq!((guest.u64(DATA + 16), guest.get(DATA + 24, 2)), (5, &[0, 0][..]));
    assert_eq!((guest.u64(DATA + 64 + 16), guest.get(DATA + 64 + 24, 2)), (0, &[1, 0][..]));
    assert_eq!(guest.outside.slept_ns(), 0);
}

#[test]
fn a_poll_of_nothing_or_of_what_is_not_a_subscription_is_refused() {
    let mut guest = Guest::new();
    assert_eq!(guest.poll(0), Errno::Inval);
    guest.subscribe(0, 3, 0, 0, 0);
    assert_eq!(guest.poll(1), Errno::Inval);
    assert_eq!(guest.call("poll_oneoff", &[MEMORY_BYTES as i64 - 47, 0, 1, 0]), Errno::Fault);
    assert_eq!(guest.call("poll_oneoff", &[0, MEMORY_BYTES as i64 - 31, 1, 0]), Errno::Fault);
}
