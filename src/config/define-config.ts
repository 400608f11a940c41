import type { ProfileName } from './profiles.js';
import type { MemoryTestConfigInput } from './schema.js';

type SizeText = `${number}${'' | ' '}${'B' | 'kB' | 'KiB' | 'MB' | 'MiB' | 'GB' | 'GiB'}`;
type DurationText = `${number}${'' | ' '}${'ms' | 's' | 'm' | 'min' | 'h' | 'd'}`;

/** Settings as a file may hold them: sizes and durations also as text. */
type AsWritten<Settings> = {
  [Key in keyof Settings]: Key extends `${string}Bytes` | 'maxMemoryPerOperation'
    ? Settings[Key] | SizeText
    : Key extends 'maxMemoryGrowthRate'
      ? Settings[Key] | SizeText | `${SizeText}/s`
      : Key extends `${string}Seconds` | `${string}Ms`
        ? Settings[Key] | DurationText
        : Settings[Key] extends object | undefined
          ? AsWritten<Settings[Key]>
          : Settings[Key];
};

export type ConfigFile = AsWritten<MemoryTestConfigInput> & {
  /** The profile that the settings of this file change. */
  profile?: ProfileName;
};

/**
 * Gives a configuration file completion and type checks in the editor.
 * @example export default defineConfig({ profile: 'ci', thresholds: { leakThresholdBytes: '2MiB' } })
 */
export function defineConfig(config: ConfigFile): ConfigFile {
  return config;
}
