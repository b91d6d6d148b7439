"""What the commands that repair, rescue and clean may do in a repository."""
