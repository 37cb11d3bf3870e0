//! Memory that is free again goes back to the system.

/// An arena of the allocator for each thread that works all the time: one a processor, the writer, and whoever started them.
/// glibc makes up to eight a processor, and what a thread of an idle shop once freed lies about in each of them; with fewer
/// than these, those who work wait for each other. Call it before the first thread starts.
pub fn few_arenas() {
    #[cfg(target_env = "gnu")]
    {
        let busy = std::thread::available_parallelism().map_or(2, usize::from) + 2;
        #[expect(unsafe_code, reason = "the standard library does not know the allocator beneath it")]
        // SAFETY: it changes a number that the allocator reads when a thread allocates for the first time.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, i32::try_from(busy).unwrap_or(i32::MAX));
        }
    }
}

/// Gives back what the allocator keeps for later. A nightly check or a busy hour needs many times what an idle shop does,
/// and glibc would keep it for ever.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the standard library does not know the allocator beneath it")]
    // SAFETY: it may be called at any time from any thread, and touches only memory that is free.
    unsafe {
        libc::malloc_trim(0);
    }
}
