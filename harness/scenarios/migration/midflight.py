"""Things that change while a migration is on its way, MIG-114 to MIG-121."""
