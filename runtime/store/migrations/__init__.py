"""The steps that bring any store of an earlier version to this one."""
