//! Memory that is free again goes back to the system.

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
