"""`nativeear index`: build, show, compare and change indexes."""

from nativeear.service.commands.guard import GuardedCommand, command_group
from nativeear.service.commands.index.audit import audit
from nativeear.service.commands.index.build import build, rebuild
from nativeear.service.commands.index.change import add, merge, optimize, remove, restore, thin
from nativeear.service.commands.index.exporting import export, import_
from nativeear.service.commands.index.moving import copy, delete, rename
from nativeear.service.commands.index.sample import sample
from nativeear.service.commands.index.session import record_script
from nativeear.service.commands.index.show import diff, list_, show, verify, versions

app = command_group("index", "Build, show, compare and change indexes of native speech.")
for command in (
    *(audit, build, list_, show, verify, add, remove, thin, optimize, merge, diff),
    *(versions, restore, rebuild, rename, copy, delete, record_script),
    *(sample, export, import_),
):
    app.command(command.__name__.rstrip("_").replace("_", "-"), cls=GuardedCommand)(command)
