/** A calendar whose users live in all time zones: luxon and ICU keep each zone once it was used. */
import { DateTime } from 'luxon';

const zones = Intl.supportedValuesOf('timeZone');

export function operation(i) {
  const zone = zones[i % zones.length];
  const local = DateTime.fromMillis(1_700_000_000_000 + i * 60_000, { zone });
  return local.isValid ? { bytes: local.toLocaleString(DateTime.DATETIME_FULL).length } : { error: zone };
}
