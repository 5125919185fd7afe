/** All converters by name. Read by compile-sample.ts; a test compares the names with model/catalog/converters.ts. */
import type { ConvertTable } from '../types.ts';
import { binaryConverters } from './binaries.ts';
import { jwtConverters } from './jwt.ts';
import { lookupConverters } from './lookups.ts';
import { numberConverters } from './numbers.ts';
import { textConverters } from './texts.ts';

export const convertTable: ConvertTable = { ...binaryConverters, ...jwtConverters, ...lookupConverters, ...numberConverters, ...textConverters };
