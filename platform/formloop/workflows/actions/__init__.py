"""What people, administrators and steps themselves may do to a case: each with its rule of when it is in place."""
