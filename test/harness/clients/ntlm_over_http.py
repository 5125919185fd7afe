"""
impacket's NTLM over HTTP: one login, then requests on the connection that belongs to it. Run by
test/system/exchange/outside-clients.test.ts with HOST:PORT USER PASSWORD; prints what was seen as JSON.
"""
import json
import sys

from impacket.http import AUTH_NTLM, HTTPClientSecurityProvider

place, user, password = sys.argv[1:]
client = HTTPClientSecurityProvider(AUTH_NTLM)
client.set_credentials(user, password, 'LAB')
connection = client.connect('https', place)
said = {'X-Sim-User': user, 'Host': 'mail.lab.local'}


def ask(path, more):
    connection.request('GET', path, headers={**said, **more})
    answer = connection.getresponse()
    answer.read()
    return [answer.status, answer.getheader('Persistent-Auth')]


first = client.get_auth_headers(connection, 'GET', '/EWS/Services.wsdl', said)[0]
login = ask('/EWS/Services.wsdl', first)
after = [ask('/EWS/Exchange.asmx?n=%d' % at, {}) for at in range(5)]
names = {kind: value.decode('utf-16le') for kind, (_, value) in client.get_ntlmssp_info().fields.items() if kind in (2, 4)}
print(json.dumps({'login': login, 'after': after, 'domain': [names[2], names[4]]}))
