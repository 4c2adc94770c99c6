import cliProgress from 'cli-progress';
import type { Progress } from '../../import/send/progress.ts';

/** Shows how far an import is. */
export type ProgressView = {
  /** Called every second. */
  readonly show: (progress: Progress) => void;
  readonly end: () => void;
};

/** Where progress is shown. */
export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

const LINE_EVERY_MS = 10_000;

const number = (value: number) => value.toLocaleString('en-US');
const percent = (share: number) => `${Math.floor(share * 100)} %`;

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

/** Rows, rate, share of the allowance, time left. */
export function progressText({ rows, of, rowsPerSecond, allowanceShare, secondsLeft }: Progress): string {
  const left = secondsLeft === undefined ? '' : `, ${durationOf(secondsLeft)} left`;
  return `${number(rows)} of ${number(of)} rows, ${number(rowsPerSecond)} a second, ${percent(allowanceShare)} of the allowance${left}`;
}

/** A bar on a terminal. */
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
      const payload = { text: progressText(progress) };
      if (isShown) bar.update(progress.rows, payload);
      else bar.start(progress.of, progress.rows, payload);
      isShown = true;
    },
    end: () => {
      isOver = true;
      bar.stop();
    },
  };
}

/** A line every ten seconds, elsewhere. */
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

/** The same as JSON. */
export function progressJson(progress: Progress): string {
  return JSON.stringify({ type: 'progress', ...progress });
}
