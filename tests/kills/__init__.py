"""Real processes, really killed: what the files say afterwards is all that counts."""
