"""GitHub and GitLab: find the pull or merge request, and keep one comment per portal on it."""
