"""Identity: accounts, sign-in and sessions. It knows accounts only; who a person is, registry knows."""
