"""
impacket as Outlook Anywhere: NTLM (or Basic) on both channels, their tunnel, a bind, calls whose fragments come back. Run by
test/system/exchange/outside-clients.test.ts with HOST:PORT USER PASSWORD SCHEME; prints what was seen as JSON.
"""
import json
import sys

from impacket.dcerpc.v5 import transport
from impacket.uuid import uuidtup_to_bin

place, user, password, scheme = sys.argv[1:]
# Of Outlook's calls for a mailbox (MS-OXCRPC).
mailbox_store = ('A4F1DB00-CA47-1067-B31F-00DD010662DA', '0.81')

channel = transport.DCERPCTransportFactory('ncacn_http:lab-ex01[6001,RpcProxy=mail.lab.local:443]')
channel.set_rpc_proxy_url('https://%s/rpc/rpcproxy.dll' % place)
channel.set_credentials(user, password, 'LAB')
channel.set_auth_type(scheme)
caller = channel.get_dce_rpc()
caller.connect()
caller.bind(uuidtup_to_bin(mailbox_store))
echoes = []
# The last goes in many fragments, more than half of the window that impacket grants: it acknowledges on the way.
for size in (1, 1000, 40000, 240000):
    text = bytes(at % 251 for at in range(size))
    caller.call(10, text)
    echoes.append(caller.recv() == text)
caller.disconnect()
print(json.dumps({'scheme': channel.get_auth_type(), 'echoes': echoes}))
