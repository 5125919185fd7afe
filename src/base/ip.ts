/** IP addresses as values: parse, print, compare with networks. Used by fetches, ACLs, PROXY protocol and stick tables. */

/** Bytes of an address, 4 or 16. Immutable by convention. */
export class IpValue {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;

  constructor(family: 4 | 6, bytes: Uint8Array) {
    this.family = family;
    this.bytes = bytes;
  }
}
