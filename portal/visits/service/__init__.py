"""What care visits do: lists that make themselves, records, safety checks, referrals, rounds and the rate."""
