import { ConnectionError } from './errors.ts';
import type { ResponseHeaders } from './wire.ts';

export interface ResponseHandlers {
  onHead(status: number, headers: ResponseHeaders): void;
  /** Part of the body, within the bytes that were pushed. */
  onBody(chunk: Buffer): void;
}

const LONGEST_HEAD = 256 * 1024;
const END_OF_HEAD = '\r\n\r\n';

/** What is read next: the head; the body in one of its three framings; in chunks also what stands around them. */
type Place = 'head' | 'length' | 'chunk' | 'chunk-size' | 'chunk-end' | 'trailers' | 'until-close' | 'done';

/**
 * Reads one HTTP/1.1 response to a GET (RFC 9112) from the pieces in which it comes. Throws a ConnectionError "wrong" for
 * what is no such response, and whatever its handlers throw.
 */
export class ResponseReader {
  readonly #handlers: ResponseHandlers;
  #place: Place = 'head';
  /** The start of a head, or of a line between chunks. */
  #text = '';
  /** How much of the body or of its chunk is still to come. */
  #left = 0;
  #keepsAlive = false;

  constructor(handlers: ResponseHandlers) {
    this.#handlers = handlers;
  }

  /** Whether the connection may be asked again after this response. */
  get keepsAlive(): boolean {
    return this.#place === 'done' && this.#keepsAlive;
  }

  /** Reads on. True once the response is complete. */
  push(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length && this.#place !== 'done') at = this.#read(bytes, at);
    // Nobody asked for more: what comes then belongs to no request.
    if (at < bytes.length) this.#keepsAlive = false;
    return this.#place === 'done';
  }

  /** The connection has ended. True where that makes the response complete. */
  end(): boolean {
    if (this.#place === 'until-close') this.#place = 'done';
    this.#keepsAlive = false;
    return this.#place === 'done';
  }

  /** Reads what is next from `at` on, and says how far it came. */
  #read(bytes: Buffer, at: number): number {
    switch (this.#place) {
      case 'head':
        return this.#readHead(bytes, at);
      case 'length':
        return this.#readBody(bytes, at, 'done');
      case 'chunk':
        return this.#readBody(bytes, at, 'chunk-end');
      case 'until-close':
        this.#handlers.onBody(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      default:
        return this.#readLine(bytes, at);
    }
  }

  #readBody(bytes: Buffer, at: number, next: Place): number {
    const stop = Math.min(bytes.length, at + this.#left);
    this.#left -= stop - at;
    if (this.#left === 0) this.#place = next;
    this.#handlers.onBody(at === 0 && stop === bytes.length ? bytes : bytes.subarray(at, stop));
    return stop;
  }

  #readHead(bytes: Buffer, at: number): number {
    const before = this.#text.length;
    this.#text += bytes.toString('latin1', at);
    const end = this.#text.indexOf(END_OF_HEAD, Math.max(0, before - END_OF_HEAD.length));
    if (end < 0) {
      if (!'HTTP/1.'.startsWith(this.#text.slice(0, 7))) throw notHttp();
      if (this.#text.length > LONGEST_HEAD) throw new ConnectionError('wrong', 'the head of its answer has no end');
      return bytes.length;
    }
    const head = this.#text.slice(0, end);
    this.#text = '';
    this.#begin(head);
    return at + end + END_OF_HEAD.length - before;
  }

  #begin(head: string): void {
    const [start = '', ...lines] = head.split('\r\n');
    const [, minor, status = ''] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(start) ?? [];
    if (minor === undefined) throw notHttp();
    // 100 Continue and the like come before the response itself.
    if (status.startsWith('1') && status !== '101') return;
    const headers = headersOf(lines);
    this.#frame(Number(status), headers);
    const connection = headers['connection']?.toLowerCase() ?? '';
    this.#keepsAlive = minor === '1' ? !connection.includes('close') : connection.includes('keep-alive');
    this.#handlers.onHead(Number(status), headers);
  }

  #frame(status: number, headers: ResponseHeaders): void {
    const coding = headers['transfer-encoding']?.toLowerCase();
    const length = headers['content-length'];
    if (status === 204 || status === 304) this.#place = 'done';
    else if (coding !== undefined) this.#place = coding.endsWith('chunked') ? 'chunk-size' : 'until-close';
    else if (length === undefined) this.#place = 'until-close';
    else {
      if (!/^\d{1,15}$/.test(length)) throw notHttp();
      this.#left = Number(length);
      this.#place = this.#left === 0 ? 'done' : 'length';
    }
  }

  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(0x0a, at);
    this.#text += bytes.toString('latin1', at, end < 0 ? bytes.length : end);
    if (this.#text.length > LONGEST_HEAD) throw notHttp();
    if (end < 0) return bytes.length;
    const line = this.#text.replace(/\r$/, '');
    this.#text = '';
    this.#place = this.#after(line);
    return end + 1;
  }

  #after(line: string): Place {
    switch (this.#place) {
      case 'chunk-size': {
        const [, size] = /^([\da-f]{1,12})[ \t]*(?:;|$)/i.exec(line) ?? [];
        if (size === undefined) throw notHttp();
        this.#left = Number.parseInt(size, 16);
        return this.#left === 0 ? 'trailers' : 'chunk';
      }
      case 'chunk-end':
        if (line !== '') throw notHttp();
        return 'chunk-size';
      default:
        return line === '' ? 'done' : 'trailers';
    }
  }
}

function headersOf(lines: readonly string[]): ResponseHeaders {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw notHttp();
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}

const notHttp = () => new ConnectionError('wrong', 'what it answers is not HTTP');
