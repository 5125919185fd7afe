"""
impacket as Outlook Anywhere: NTLM (or Basic) on both channels, their tunnel, PDUs there and back. Run by
test/system/exchange/outside-clients.test.ts with HOST:PORT USER PASSWORD SCHEME; prints what was seen as JSON.
"""
import json
import struct
import sys

from impacket.dcerpc.v5 import transport

place, user, password, scheme = sys.argv[1:]


def request_pdu(payload):
    """A request (C706, 12.6.4.9) whose payload stands behind the common header."""
    return struct.pack('<BBBBIHHI', 5, 0, 0, 3, 0x10, 16 + len(payload), 0, 1) + payload


channel = transport.DCERPCTransportFactory('ncacn_http:lab-ex01[6001,RpcProxy=mail.lab.local:443]')
channel.set_rpc_proxy_url('https://%s/rpc/rpcproxy.dll' % place)
channel.set_credentials(user, password, 'LAB')
channel.set_auth_type(scheme)
channel.connect()
echoes = []
for size in (1, 1000, 40000):
    pdu = request_pdu(b'x' * size)
    channel.send(pdu)
    echoes.append(channel.recv() == pdu)
# More than half of the window that impacket grants: it acknowledges on the way.
burst = [request_pdu(bytes([at]) * 8000) for at in range(30)]
for pdu in burst:
    channel.send(pdu)
echoes.append([channel.recv() for _ in burst] == burst)
channel.disconnect()
print(json.dumps({'scheme': channel.get_auth_type(), 'echoes': echoes}))
