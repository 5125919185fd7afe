/**
 * Keys of stick tables: turns a sample into the table's key bytes (configuration manual, `stick-table type`) and back into the
 * text that `show table` prints. Used by stick-table.ts only. Never throws.
 */
import type { IpValue } from '../base/ip.ts';

/** Same as rules/subject.ts SampleValue; repeated because shared/ stands below rules/. */
export type SampleValue = boolean | number | string | Uint8Array | IpValue;
