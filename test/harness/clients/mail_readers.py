"""
Python's imaplib and poplib as mail readers, in clear with STARTTLS and in TLS from the start. Run by
test/system/exchange/outside-mailers.test.ts with HOST IMAP IMAPS POP POPS USER PASSWORD: the mailbox holds two letters
and is empty afterwards. Prints what was seen as JSON.
"""
import hashlib
import imaplib
import json
import poplib
import ssl
import sys

host, imap_port, imaps_port, pop_port, pops_port, user, password = sys.argv[1:]
anything = ssl._create_unverified_context()
seen = {}


def digest(letter):
    """Of the text without blank lines at its end, of which swaks adds one."""
    return hashlib.sha256(letter.replace(b'\r\n', b'\n').rstrip()).hexdigest()


def imap(client):
    refused = ''
    try:
        client.login(user, 'not ' + password)
    except imaplib.IMAP4.error as error:
        refused = str(error)
    client.login(user, password)
    count = client.select('INBOX')[1]
    letters = [client.fetch(str(at), '(RFC822)')[1][0][1] for at in (1, 2)]
    client.store('1', '+FLAGS', '\\Seen')
    found = client.search(None, 'ALL')[1]
    status = client.status('INBOX', '(MESSAGES UNSEEN)')[1]
    client.noop()
    return {'refused': refused != '', 'count': count[0].decode(), 'letters': [digest(letter) for letter in letters], 'sizes': [len(letter) for letter in letters],
            'found': found[0].decode(), 'status': status[0].decode(), 'bye': client.logout()[0]}


client = imaplib.IMAP4(host, int(imap_port), timeout=20)
before = 'LOGINDISABLED' in client.capabilities
client.starttls(anything)
seen['imap'] = [before, 'AUTH=PLAIN' in client.capabilities, imap(client)]
seen['imaps'] = imap(imaplib.IMAP4_SSL(host, int(imaps_port), ssl_context=anything, timeout=20))


def pop(client):
    client.user(user)
    client.pass_(password)
    letters = [b'\r\n'.join(client.retr(at)[1]) + b'\r\n' for at in (1, 2)]
    return client, {'stat': client.stat(), 'letters': [digest(letter) for letter in letters], 'ids': len(client.uidl()[1]), 'top': len(client.top(2, 0)[1])}


client = poplib.POP3(host, int(pop_port), timeout=20)
client.stls(anything)
client, seen['pop'] = pop(client)
client.quit()
client, seen['pops'] = pop(poplib.POP3_SSL(host, int(pops_port), context=anything, timeout=20))
client.dele(1)
client.dele(2)
client.quit()
client = poplib.POP3_SSL(host, int(pops_port), context=anything, timeout=20)
client.user(user)
client.pass_(password)
seen['left'] = client.stat()
client.quit()
print(json.dumps(seen))
