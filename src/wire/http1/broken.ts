/**
 * What is wrong with a message that is refused, in words, with the rule it breaks. The readers of this folder name one of these when they
 * refuse; logs (`%[why]`, `log-why`) and docs/logging.md show it. Decides nothing.
 */
export const broken = {
  emptyLine: 'an empty line before the message is malformed (RFC 9112 2.2)',
  method: 'the method holds a character that is not allowed there (RFC 9110 9.1)',
  target: 'the request target is empty or holds a character that is not allowed there (RFC 9112 3.2)',
  version: 'the version is not HTTP/1.x (RFC 9112 2.3)',
  startLineEnd: 'the start line does not end with CRLF (RFC 9112 2.2)',
  status: 'the status code is not a number of three digits (RFC 9112 4)',
  reason: 'the reason phrase holds a NUL (RFC 9112 4)',
  name: 'a header name is empty, holds a character that is not allowed there, or is not followed by a colon (RFC 9112 5.1)',
  value: 'a header value holds a NUL (RFC 9110 5.5)',
  lineEnd: 'a CR in a header line is not followed by LF (RFC 9112 2.2)',
  fold: 'the first header line begins with a blank (RFC 9112 2.2)',
  headEnd: 'the CR of the empty line after the head is not followed by LF (RFC 9112 2.1)',
  headBytes: 'the head is larger than the limit',
  headLines: 'the head has more header lines than the limit',
  contentLength: 'Content-Length is not one number, or differs between lines (RFC 9110 8.6, RFC 9112 6.3)',
  transferEncoding: 'Transfer-Encoding does not end with chunked, or names it twice (RFC 9112 6.1)',
  otherEncoding: 'Transfer-Encoding names an encoding besides chunked (RFC 9112 6.1)',
  hosts: 'Host lines differ (RFC 9112 3.2)',
  targetForm: 'the request target is neither a path, nor a URI, nor host:port (RFC 9112 3.2)',
  authority: 'the Host line names another host than the request target (RFC 9112 3.2.2)',
  websocketKey: 'a WebSocket handshake comes without Sec-WebSocket-Key (RFC 6455 4.1)',
  notUpgraded: 'status 101 answers a request that asked for no upgrade (RFC 9110 15.2.2)',
  chunkSize: 'a chunk size is not a hexadecimal number, or is too large (RFC 9112 7.1)',
  chunkLine: 'the line of a chunk size is longer than the limit (4096 bytes)',
  chunkEnd: 'a chunk does not end with CRLF where its size says so (RFC 9112 7.1)',
  trailers: 'the trailer section is malformed or larger than the limit (RFC 9112 7.1.2)',
} as const;
