import { useEffect, useRef, useState } from "react";

interface MatrixRainProps {
  density: number;
  speed: number;
  opacity: number;
  glyphs: string;
}

const CELL = 18;
const FRAME = 1000 / 24;

/** Draws until told to stop; `still` draws one quiet frame and no more. */
function rain(canvas: HTMLCanvasElement, { density, speed, glyphs }: MatrixRainProps, still: boolean) {
  const paper = canvas.getContext("2d");
  if (!paper) return () => {};
  const letters = Array.from(glyphs);
  const letter = () => letters[Math.floor(Math.random() * letters.length)];
  let heads: number[] = [];
  let timer = 0;
  let last = 0;

  const measure = () => {
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(window.innerWidth * scale);
    canvas.height = Math.round(window.innerHeight * scale);
    paper.setTransform(scale, 0, 0, scale, 0, 0);
    paper.font = `${CELL - 3}px ${getComputedStyle(canvas).fontFamily}`;
    const rows = Math.ceil(window.innerHeight / CELL);
    heads = Array.from({ length: Math.ceil(window.innerWidth / CELL) }, () =>
      Math.random() < density ? Math.random() * rows : -Math.random() * rows * 4,
    );
    if (still) for (let frame = 0; frame < 40; frame += 1) step();
  };

  const step = () => {
    const { color } = getComputedStyle(canvas);
    const rows = Math.ceil(window.innerHeight / CELL);
    paper.globalCompositeOperation = "destination-out";
    paper.fillStyle = "rgb(0 0 0 / 0.09)";
    paper.fillRect(0, 0, window.innerWidth, window.innerHeight);
    paper.globalCompositeOperation = "source-over";
    paper.fillStyle = color;
    heads = heads.map((head, column) => {
      if (head >= 0) paper.fillText(letter(), column * CELL, Math.floor(head) * CELL);
      const next = head + speed;
      return next > rows ? -Math.random() * rows * (1.2 - density) * 2 : next;
    });
  };

  const tick = (now: number) => {
    timer = requestAnimationFrame(tick);
    if (now - last < FRAME) return;
    last = now;
    step();
  };

  const run = () => {
    cancelAnimationFrame(timer);
    if (!still && !document.hidden) timer = requestAnimationFrame(tick);
  };

  measure();
  run();
  window.addEventListener("resize", measure);
  document.addEventListener("visibilitychange", run);
  return () => {
    cancelAnimationFrame(timer);
    window.removeEventListener("resize", measure);
    document.removeEventListener("visibilitychange", run);
  };
}

export default function MatrixRain({ density, speed, opacity, glyphs }: MatrixRainProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [falling, setFalling] = useState(true);

  useEffect(() => {
    const quiet = window.matchMedia("(prefers-reduced-motion: reduce)");
    const obey = () => setFalling(!quiet.matches);
    obey();
    quiet.addEventListener("change", obey);
    return () => quiet.removeEventListener("change", obey);
  }, []);

  useEffect(
    () => (canvas.current ? rain(canvas.current, { density, speed, opacity, glyphs }, !falling) : undefined),
    [density, speed, opacity, glyphs, falling],
  );

  return (
    <>
      <canvas ref={canvas} className="rain" style={{ opacity }} aria-hidden="true" />
      <div className="rain-foot">
        <button type="button" data-variant="quiet" aria-pressed={!falling} onClick={() => setFalling(!falling)}>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d={falling ? "M9 6v12M15 6v12" : "M9 6l9 6-9 6z"} />
          </svg>
          Hold the rain
        </button>
      </div>
    </>
  );
}
