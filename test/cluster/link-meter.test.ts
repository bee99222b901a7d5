import { expect, test } from 'vitest';
import { linkMeter } from '../../src/cluster/link-meter.ts';

const MB = 1_000_000;

/** A meter with a clock that is moved by hand. */
function measured() {
  const clock = { ms: 0 };
  const meter = linkMeter(() => clock.ms);
  const wait = (ms: number) => {
    clock.ms += ms;
  };
  return { meter, wait };
}

test.each([
  ['12 MB/s, as over 100 Mbit/s', 2 * MB, 160, true],
  ['100 MB/s, as over 1 Gbit/s', 2 * MB, 20, false],
  ['too little to tell', 0.5 * MB, 1000, false],
])('%s', (_, bytes, ms, slow) => {
  const { meter, wait } = measured();
  const end = meter.begin();
  wait(ms);
  meter.use(bytes, () => undefined);
  expect(meter.isSlow()).toBe(slow);
  end();
  wait(10_000);
  expect(meter.isSlow()).toBe(slow);
});

test("the time it takes to use what came is not the link's", () => {
  const { meter, wait } = measured();
  meter.begin();
  wait(20);
  meter.use(2 * MB, () => wait(5000));
  expect(meter.isSlow()).toBe(false);
});

test('bodies that are read side by side share the link', () => {
  const { meter, wait } = measured();
  const end = meter.begin();
  const endOther = meter.begin();
  wait(40);
  meter.use(MB, () => undefined);
  meter.use(MB, () => undefined);
  endOther();
  end();
  expect(meter.isSlow()).toBe(false);
});

test('a server that is near is not behind a slow link, however little comes from it', () => {
  const { meter, wait } = measured();
  meter.begin();
  wait(1000);
  meter.use(2 * MB, () => undefined);
  meter.answered(30);
  expect(meter.isSlow()).toBe(true);
  meter.answered(0.6);
  meter.answered(30);
  expect(meter.isSlow()).toBe(false);
});
