"""`touchline apply` and `touchline dump`: definitions in, definitions out, as TOML."""

import argparse
import getpass
import sys

from touchline.cli.output import progress_line
from touchline.jobs import definitions
from touchline.jobs.access import writing
from touchline.storage.workspace import Workspace

__all__ = ["run"]


def run(args: argparse.Namespace) -> None:
    if args.verb == "dump":
        workspace = Workspace.open(args.dir)
        sys.stdout.write(definitions.dump(workspace))
        workspace.close()
        return
    documents = definitions.read_file(args.file)
    workspace = Workspace.open(args.dir)
    documents = definitions.sealed(workspace, documents)  # before they lie in a job
    workspace.close()
    asked = {"documents": documents, "author": f"cli:{getpass.getuser()}"}
    changed = writing(args.dir, "apply", asked, progress_line("apply"))
    said = ", ".join(changed) if changed else "nothing changed"
    print(f"In force: {said}", file=sys.stderr)
