import cliProgress from 'cli-progress';
import type { Progress } from '../../import/send/progress.ts';

/** Shows the progress of an import. */
export type ProgressView = {
  /** Called every second. */
  readonly show: (progress: Progress) => void;
  readonly end: () => void;
};

/** Where progress is shown. */
export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

const LINE_EVERY_MS = 10_000;

const percent = (share: number) => `${Math.floor(share * 100)} %`;
const number = (value: number) => value.toLocaleString('en-US');

/** A duration in the two largest units that it needs. */
export function durationOf(seconds: number): string {
  const units = [
    [Math.floor(seconds / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = units.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** Accepted and refused rows, rows still to be sent, rate, share of the allowance, time left. */
export function progressText(progress: Progress): string {
  const { accepted, refused, left, rowsPerSecond, allowanceShare, secondsLeft } = progress;
  return [
    `${number(accepted)} rows accepted`,
    ...(refused > 0 ? [`${number(refused)} refused`] : []),
    `${number(left)} to send`,
    `${number(rowsPerSecond)} a second`,
    `${percent(allowanceShare)} of the allowance`,
    ...(secondsLeft === undefined ? [] : [`${durationOf(secondsLeft)} left`]),
  ].join(', ');
}

/** Shows a bar on a terminal. */
export function progressBar(stream: ProgressStream): ProgressView {
  const bar = new cliProgress.SingleBar(
    {
      stream,
      format: '{bar} {text}',
      barsize: 24,
      hideCursor: true,
      // By itself it would end the process at Ctrl-C, before the calls under way have their answers.
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  let isShown = false;
  let isOver = false;
  return {
    show: (progress) => {
      if (isOver) return;
      const { rows, left } = progress;
      const payload = { text: progressText(progress) };
      if (isShown) bar.update(rows - left, payload);
      else bar.start(rows, rows - left, payload);
      isShown = true;
    },
    end: () => {
      isOver = true;
      bar.stop();
    },
  };
}

/** Writes a line every ten seconds, where there is no terminal. */
export function progressLines(
  write: (line: string) => void,
  now: () => number,
  textOf: (progress: Progress) => string = progressText,
): ProgressView {
  let lastAt = now();
  return {
    show: (progress) => {
      if (now() - lastAt < LINE_EVERY_MS) return;
      lastAt = now();
      write(textOf(progress));
    },
    end: () => {},
  };
}

/** Progress as a line of JSON. */
export function progressJson(progress: Progress): string {
  return JSON.stringify({ type: 'progress', ...progress });
}
