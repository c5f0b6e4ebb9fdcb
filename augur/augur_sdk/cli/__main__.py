"""`python -m augur_sdk.cli` is the `augur` command."""

from augur_sdk.cli import main

if __name__ == "__main__":
    main()
