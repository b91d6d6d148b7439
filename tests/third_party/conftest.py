"""Tests of third parties run where their plugin is installed, not from this tree."""

collect_ignore_glob = ["agentrelay-*"]
