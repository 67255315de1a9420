"""The pull request side: forges that answer as GitHub and GitLab do, the recipes, the links."""
