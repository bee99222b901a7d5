/** What is called so is secret: words in the names of variables, fields and flags, and before a value in a text. */
export const SECRET_WORD = [
  'passw(?:or)?d',
  'passphrase',
  'passcode',
  'pswd',
  '(?<![a-z])pwd?(?![a-z])',
  '(?<![a-z])pass(?![a-z])',
  'secret',
  'token',
  'credential',
  'api[_-]?key',
  '(?:access|private|secret|signing|encryption|account|client|shared|master|license|ssh|app|auth)[_-]?(?:access[_-]?)?key',
  '[_-]key(?![a-z])',
  'conn(?:ection)?[_-]?str(?:ing)?',
  '(?<![a-z])dsn',
  '(?:database|db|mongo\\w*|redis|postgres\\w*|mysql|amqp|broker|jdbc|sentry)[_-]?(?:ur[il]|dsn)',
  'cookie',
  'session[_-]?id',
  'jsessionid',
  '(?<![a-z])signature(?![a-z])',
  '(?<![a-z])sig(?![a-z])',
  '(?<![a-z])salt(?![a-z])',
  '(?<![a-z])otp(?![a-z])',
  '(?<![a-z])pin(?![a-z])',
  'passwort',
  'kennwort',
  'mot de passe',
  'contrase(?:ñ|n)a',
  'wachtwoord',
  'пароль',
  'パスワード',
  '密[码碼钥鑰]',
  '口令',
].join('|');

const secretName = new RegExp(SECRET_WORD, 'i');

/** Whether a variable or field of this name holds something secret. */
export const isSecretName = (name: string): boolean => secretName.test(name) || /[_-]key$/i.test(name);

/** Whether it may: "BASIC_AUTH" holds a password in one place and "none" in another. */
export const maybeSecretName = (name: string): boolean =>
  /(?:^|[._-])(?:auth|creds?|jwt|key|login|pat)(?:[._-]b(?:ase)?64)?$/i.test(name);
