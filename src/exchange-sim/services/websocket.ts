/**
 * OWA's notification channel over a WebSocket (RFC 6455): every frame comes back as it came, pings are answered, a close is
 * returned. Asked through service-list.ts.
 */
import { answerPage } from '../page.ts';
import type { ExchangeService, SimExchange } from '../service.ts';
import { FrameReader, acceptValue, frameBytes } from './websocket-frames.ts';
import type { Frame } from './websocket-frames.ts';

const closeOpcode = 8;
const pingOpcode = 9;
const pongOpcode = 10;

function closeFrame(code: number): Buffer {
  return frameBytes({ isLast: true, opcode: closeOpcode, payload: Buffer.from([code >> 8, code & 0xff]) });
}

function serve(exchange: SimExchange): void {
  const frames = new FrameReader();
  let isOver = false;
  let isPaused = false;
  const close = (bytes: Buffer): void => {
    isOver = true;
    exchange.write(bytes);
    exchange.end();
  };
  const pause = (): void => {
    isPaused = true;
    exchange.pause();
    exchange.drained(() => {
      isPaused = false;
      exchange.resume();
    });
  };
  const use = (frame: Frame): void => {
    if (isOver || frame.opcode === pongOpcode) return;
    if (frame.opcode === closeOpcode) close(frameBytes(frame));
    else if (!exchange.write(frameBytes(frame.opcode === pingOpcode ? { ...frame, opcode: pongOpcode } : frame)) && !isPaused) pause();
  };
  exchange.read({
    piece(bytes) {
      const fault = isOver ? 0 : frames.feed(bytes, use);
      if (fault !== 0 && !isOver) close(closeFrame(fault));
    },
    end() {
      exchange.head(101, 'Switching Protocols', ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptValue(exchange.request.headers.get('sec-websocket-key') ?? '')}`], { kind: 'tunnel' });
    },
    gone() { isOver = true; },
  });
}

function handle(exchange: SimExchange): void {
  const { method, headers } = exchange.request;
  exchange.mailbox = exchange.user;
  if (method !== 'GET' || headers.get('upgrade')?.toLowerCase() !== 'websocket') answerPage(exchange);
  else if (!headers.has('sec-websocket-key')) exchange.answer(400, 'Bad Request', ['Content-Type: text/html'], 'no Sec-WebSocket-Key');
  else if (headers.get('sec-websocket-version') !== '13') exchange.answer(426, 'Upgrade Required', ['Content-Type: text/html', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'], '');
  else serve(exchange);
}

export const webSocket: ExchangeService = { directory: '/owa/notificationchannel', handle };
