"""Gives a program a terminal of 40 lines and 160 columns and plays keys to it: for programs that draw the whole screen.

terminal.py '[["wait", "text"], ["keys", "\\u001b[B"], ["pause", 0.2]]' program argument...

`wait` goes on when the text has been drawn since the last keys. Prints what was drawn, without the drawing commands. Ends the
program with what it was told, or after 12 seconds.
"""
import fcntl, json, os, pty, re, select, signal, struct, sys, termios, time

DRAWING = re.compile(rb'\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78]|\][^\x07]*\x07)')
steps, command = json.loads(sys.argv[1]), sys.argv[2:]
end = time.monotonic() + 12
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM='xterm', LINES='40', COLUMNS='160')
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 160, 0, 0))
drawn, since = b'', 0


def take(seconds):
    """Reads for at most that long; False when the program has ended."""
    global drawn
    if not select.select([terminal], [], [], seconds)[0]:
        return True
    try:
        part = os.read(terminal, 65536)
    except OSError:
        part = b''
    drawn += part
    return part != b''


def plain():
    return DRAWING.sub(b' ', drawn[since:]).decode('latin1')


for word, what in steps:
    if word == 'wait':
        while what not in plain() and time.monotonic() < end and take(0.1):
            pass
        if what not in plain():
            print(f'never drawn: {what}')
            break
    elif word == 'keys':
        since = len(drawn)
        os.write(terminal, what.encode())
    else:
        until = time.monotonic() + what
        while time.monotonic() < until:
            if not take(0.05):
                break
while time.monotonic() < min(end, time.monotonic() + 2) and take(0.2):
    if os.waitpid(pid, os.WNOHANG)[0] == pid:
        pid = 0
        break
if pid:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
since = 0
print(plain())
