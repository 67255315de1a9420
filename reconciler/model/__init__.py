"""The domain as frozen values, without I/O: limits in `limits`, plans and results in `plan`."""
