use super::*;

#[test]
fn what_is_not_written_takes_no_room() {
    let unit = core::alloc::Layout::new::<()>();
    let layout = |detail, pcpus| {
        Layout::new(unit, unit, &Extent { detail, pcpus, nodes: 1, ..Extent::plain(4, 4096) }).unwrap()
    };
    let counts = layout(Detail::Counts, 2);
    assert_eq!((counts.traced, counts.ring, counts.matrix_pcpus), (0, 0, 0));
    let times = layout(Detail::Times, 2);
    assert!(times.traced >= size_of::<Block>() && times.ring == 0 && times.matrix_pcpus == 2);
    let events = layout(Detail::Events, MATRIX_PCPUS + 1);
    assert!(events.ring >= events.traced + size_of::<Traced>() && events.matrix_pcpus == 0);
    assert!(events.stride >= events.ring + size_of::<Ring>());
}

#[test]
fn what_is_shared_and_each_block_lie_on_pages_of_their_own() {
    let unit = core::alloc::Layout::new::<()>();
    for page in [4096, 16_384, 65_536] {
        for detail in [Detail::Counts, Detail::Times, Detail::Events] {
            let extent = Extent { detail, pcpus: 2, nodes: 2, ..Extent::plain(4, page) };
            let layout = Layout::new(unit, unit, &extent).unwrap();
            let parts: [Range<usize>; 5] =
                core::array::from_fn(|i| if i == 0 { layout.shared() } else { layout.own(i - 1) });
            let mut end = 0;
            for part in parts {
                assert_eq!((part.start, part.start % page, part.end % page), (end, 0, 0));
                end = part.end;
            }
            assert_eq!(end, layout.total);
            assert!(layout.shared().len() >= size_of::<Header>() && layout.lock <= layout.blocks);
        }
    }
}

#[test]
fn the_lock_and_the_lines_of_sections_can_lie_on_pages_of_their_own() {
    let unit = core::alloc::Layout::new::<()>();
    for page in [4096, 65_536] {
        let extent = Extent { lines: 8, apart: true, ..Extent::plain(2, page) };
        let layout = Layout::new(core::alloc::Layout::new::<u64>(), unit, &extent).unwrap();
        let (lock, lines) = (layout.before_lines(), layout.from_lines());
        assert!(lock.contains(&(layout.lock + 7)) && !lines.contains(&layout.lock));
        assert_eq!((lines.start, lines.start % page, lines.end), (layout.lines, 0, layout.blocks));
        assert!(lines.end >= layout.lines + 8 * LINE);
        assert_eq!((lock.start, lock.end), (0, lines.start));
    }
}

#[test]
fn no_locks_word_shares_a_line_with_its_settings() {
    let settings = core::mem::offset_of!(Header, plan) + core::mem::offset_of!(super::super::Plan, params);
    let end = settings + size_of::<lockbench_locks::Params>();
    for family in crate::CATALOGUE {
        let extent = Extent { lines: 8, ..Extent::plain(4, 4096) };
        let layout = Layout::new(family.lock, family.per_vcpu, &extent).unwrap();
        let lines = settings / PAIR..end.div_ceil(PAIR);
        assert!(!lines.contains(&(layout.lock / PAIR)), "{}", family.name);
        assert!(end <= size_of::<super::super::Plan>(), "on the page that nobody may write");
    }
}

#[test]
fn nodes_are_told_apart_where_there_are_several_however_many_pcpus() {
    let unit = core::alloc::Layout::new::<()>();
    let layout = |detail, pcpus, nodes| {
        Layout::new(unit, unit, &Extent { detail, pcpus, nodes, ..Extent::plain(1_000, 4096) }).unwrap()
    };
    let many = layout(Detail::Times, 1_000, 8);
    assert_eq!((many.matrix_pcpus, many.matrix_nodes), (0, 8));
    assert!(many.node_matrix >= many.node_rows + 1_000 * size_of::<AtomicU16>());
    assert!(many.blocks >= many.node_matrix + 64 * size_of::<Octaves>());
    for none in [
        layout(Detail::Counts, 8, 8),
        layout(Detail::Times, 8, 1),
        layout(Detail::Times, 8, MATRIX_NODES + 1),
    ] {
        assert_eq!(none.matrix_nodes, 0);
        assert_eq!(none.node_matrix, none.node_rows);
    }
}

/// Every lock has its word, its data, its counters and, unless the kind shares them, its vCPUs' parts to itself.
#[test]
fn several_locks_overlap_nowhere_and_share_the_parts_of_vcpus_only_where_the_kind_says_so() {
    let part = core::alloc::Layout::new::<[u64; 3]>();
    for (locks, shares_blocks, words) in
        [(1, false, 1), (2, true, 20), (64, false, 0), (64, false, 1), (3, false, 1000)]
    {
        let lock = core::alloc::Layout::array::<u64>(words).unwrap();
        let extent = Extent { lines: 1, locks, shares_blocks, ..Extent::plain(2, 4096) };
        let layout = Layout::new(lock, part, &extent).unwrap();
        let mut taken = std::vec![0..size_of::<Header>()];
        for which in 0..locks {
            let at = layout.lock + which * layout.lock_step;
            taken.push(at..at + lock.size());
            if which > 0 {
                let at = core::mem::offset_of!(Header, data) + which * layout.lock_step;
                taken.push(at..at + size_of::<Data>());
            }
        }
        taken.push(layout.lines..layout.blocks);
        for cpu in 0..2 {
            let block = layout.own(cpu);
            taken.push(block.start..block.start + size_of::<Block>());
            for which in 0..if shares_blocks { 1 } else { locks } {
                let at = block.start + layout.per_vcpu + which * layout.per_vcpu_step;
                taken.push(at..at + part.size());
            }
            if locks > 1 {
                taken.push(block.start + layout.tallies..block.start + layout.tallies + locks * 8);
            }
        }
        taken.push(layout.total..layout.total);
        taken.sort_by_key(|range| range.start);
        assert!(taken.windows(2).all(|pair| pair[0].end <= pair[1].start), "{taken:?}");
        assert_eq!(
            (layout.tallies != 0, layout.per_vcpu_step != 0),
            (locks > 1, locks > 1 && !shares_blocks)
        );
        assert!(layout.lock == Layout::LOCK && !layout.lock_step.is_multiple_of(4096));
    }
}
