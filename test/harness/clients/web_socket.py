"""
websocket-client on OWA's notification channel. Run by test/system/exchange/outside-clients.test.ts with HOST:PORT USER PASSWORD
SECONDS (of silence); prints what was seen as JSON.
"""
import base64
import json
import ssl
import sys
import time

import websocket

place, user, password, silence = sys.argv[1:]
proof = base64.b64encode(('%s:%s' % (user, password)).encode()).decode()
client = websocket.create_connection(
    'wss://%s/owa/notificationchannel/connect' % place, timeout=20, header=['Authorization: Basic ' + proof, 'X-Sim-User: ' + user], sslopt={'cert_reqs': ssl.CERT_NONE})
seen = {'status': client.getstatus(), 'upgrade': client.getheaders().get('upgrade')}
echoes = []
for text in ('hello', 'x' * 200, 'y' * 70000):
    client.send(text)
    echoes.append(client.recv() == text)
client.send_binary(bytes(range(256)))
echoes.append(client.recv() == bytes(range(256)))
time.sleep(float(silence))
client.ping('still there?')
seen['pong'] = client.recv_data_frame(control_frame=True)[1].data.decode()
client.send_close(1000, b'bye')
code, close = client.recv_data_frame(control_frame=True)
seen['close'] = [code, int.from_bytes(close.data[:2], 'big')]
seen['echoes'] = echoes
client.close()
print(json.dumps(seen))
