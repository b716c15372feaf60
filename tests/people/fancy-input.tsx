import { forwardRef, useImperativeHandle, useRef, useState, type InputHTMLAttributes } from "react";

type Handle = { clear(): void };
interface FancyInputProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "size"> { label: string; hint?: string }

const FancyInput = forwardRef<Handle, FancyInputProps>(({ label, hint, ...rest }, ref) => {
  const input = useRef<HTMLInputElement>(null);
  const [value, setValue] = useState("");
  useImperativeHandle(ref, () => ({ clear: () => { setValue(""); input.current?.focus(); } }), []);
  return (
    <label className="grid gap-1">
      <span>{label}</span>
      <input {...rest} ref={input} value={value} onChange={(e) => setValue(e.target.value)} maxLength={40} />
      {hint && <small>{hint} ({value.length}/40)</small>}
    </label>
  );
});
FancyInput.displayName = "FancyInput";

export default function Form() {
  const handle = useRef<Handle>(null);
  return (
    <div>
      <FancyInput ref={handle} label="Nickname" hint="Shown to others" />
      <button type="button" onClick={() => handle.current?.clear()}>Clear</button>
    </div>
  );
}
