"""The test kit for authors of agentrelay plugins: fixtures, fakes and compliance classes."""
