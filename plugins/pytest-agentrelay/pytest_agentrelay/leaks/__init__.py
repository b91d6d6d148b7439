"""What a test leaves behind, found after its fixtures are gone: processes, descriptors, worktrees, temporary refs."""
