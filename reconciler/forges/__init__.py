"""The pull or merge request: comments on GitHub and GitLab, and what the CI's variables say."""
