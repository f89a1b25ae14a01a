// Replays recorded sessions. Each is a figure with the text at the end, and a list of [seconds, {row: HTML}] as JSON. Without this file the text
// at the end is there to read. A wait longer than LONGEST is shortened; the clock shows the time that it really took.
"use strict";

const LONGEST = 1.5; // seconds

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

function prepare(figure) {
  const data = figure.querySelector("script[type='application/json']");
  if (!data) return;
  const changes = JSON.parse(data.textContent);
  const screen = figure.querySelector("pre");
  const whole = screen.innerHTML;
  const height = whole.split("\n").length;
  const time = document.createElement("span");
  const button = document.createElement("button");
  let timer = null;

  function end() {
    clearTimeout(timer);
    timer = null;
    screen.innerHTML = whole;
    screen.style.minHeight = "";
    button.textContent = "Play";
    time.textContent = clock(changes[changes.length - 1][0]);
  }

  function show(at, rows) {
    const [seconds, changed] = changes[at];
    for (const [row, text] of Object.entries(changed)) rows[row] = text;
    const filled = Array.from({ length: Math.max(height, rows.length) }, (_, row) => rows[row] || "");
    screen.innerHTML = filled.join("\n");
    time.textContent = clock(seconds);
    if (at + 1 === changes.length) {
      timer = setTimeout(end, 1000 * LONGEST);
      return;
    }
    timer = setTimeout(show, 1000 * Math.min(changes[at + 1][0] - seconds, LONGEST), at + 1, rows);
  }

  time.className = "clock";
  button.type = "button";
  button.addEventListener("click", () => {
    if (timer !== null) return end();
    screen.style.minHeight = `${screen.offsetHeight}px`;
    button.textContent = "Stop";
    show(0, []);
  });
  figure.querySelector("figcaption").append(time, button);
  end();
}

document.querySelectorAll("figure.cast").forEach(prepare);
