// Requests to the server: each ends in an answer, or in a refusal whose message is for whoever looks at the page.

const ATTEMPTS = 4;
const WAIT = 2; // seconds, where a busy server does not say how long
const LONGEST_WAIT = 30;

export class Refusal extends Error {
  // `again`: whether the same photo may be answered when it is sent once more.
  constructor(message, again = false) {
    super(message);
    this.again = again;
  }
}

export async function model() {
  const response = await reached("model", {});
  if (!response.ok) throw await refusal(response);
  return response.json();
}

// What the server says of a photo; while it is busy `waiting(seconds)` is called and the photo sent again.
export async function ask(path, photo, accept, { signal, waiting }) {
  const body = await bytes(photo);
  const headers = { "Content-Type": "application/x-image", Accept: accept };
  for (let attempt = 1; ; attempt += 1) {
    const response = await reached(path, { method: "POST", body, headers, signal });
    if (response.ok) return response;
    if (response.status !== 503 || attempt === ATTEMPTS) throw await refusal(response);
    await pause(response, signal, waiting);
  }
}

async function bytes(photo) {
  try {
    return await photo.arrayBuffer();
  } catch {
    throw new Refusal(`${photo.name} cannot be read: it may be a folder, or have been moved.`);
  }
}

async function reached(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Refusal("The server does not answer. It may have been stopped, or the network is down.", true);
  }
}

async function refusal(response) {
  if (response.status === 503) return new Refusal("The server is busy with other photos.", true);
  const said = await response.json().catch(() => ({}));
  if (response.status >= 500) return new Refusal(`The server failed (${response.status}).`, true);
  return new Refusal(said.error ?? `The server refused the photo (${response.status}).`);
}

function pause(response, signal, waiting) {
  const named = Number.parseInt(response.headers.get("Retry-After"), 10);
  const seconds = Math.min(named >= 0 ? Math.max(named, 1) : WAIT, LONGEST_WAIT);
  waiting(seconds);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
