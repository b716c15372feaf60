// A form that works without scripts; with them it is sent without leaving the page.

import { useEffect, useRef, useState } from "react";

export type Field = {
  name: string;
  type?:
    | "text"
    | "email"
    | "tel"
    | "textarea"
    | "select"
    | "checkbox"
    | "radio"
    | "date"
    | "number"
    | "hidden";
  label?: string;
  help?: string;
  required?: boolean;
  autocomplete?: string;
  pattern?: string;
  value?: string;
  /** What is said of a wrong answer, instead of what the browser says. */
  error?: string;
  options?: (string | { value: string; label?: string })[];
};

export type FormProps = {
  /** What a prop with `"format": "form"` holds. */
  form: { name: string; action: string; id: string; page?: string };
  fields: Field[];
  /** The words of the button. */
  submit?: string;
  /** What is said when it was sent. */
  thanks?: string;
  /** What is said when it could not be sent. */
  failed?: string;
  /** What stands over the list of mistakes. */
  mistakes?: string;
};

type Errors = { [name: string]: string };
type State = "open" | "sending" | "sent" | "failed";

// As the receiver checks them.
const TEXT_MAX = 1000;
const TEXTAREA_MAX = 20000;

export default function Form({
  form,
  fields,
  submit = "Send",
  thanks = "Thank you. It has arrived.",
  failed = "It could not be sent. Please try again in a few minutes.",
  mistakes = "Please correct these fields",
}: FormProps) {
  const [errors, setErrors] = useState<Errors>({});
  const [state, setState] = useState<State>("open");
  const element = useRef<HTMLFormElement>(null);
  const told = useRef<HTMLDivElement>(null);
  const since = useRef(0);
  const wrong = fields.filter((field) => errors[field.name]);

  useEffect(() => {
    since.current = performance.now();
    // Mistakes are shown here instead of in the browser's own bubbles.
    if (element.current) element.current.noValidate = true;
  }, []);
  useEffect(() => {
    if (wrong.length || state === "sent" || state === "failed") told.current?.focus();
  }, [errors, state]);

  const found = (data: HTMLFormElement) => {
    const mistaken: Errors = {};
    for (const control of Array.from(data.elements) as HTMLInputElement[]) {
      if (!control.name || control.name.startsWith("_") || control.validity.valid) continue;
      const field = fields.find((each) => each.name === control.name);
      mistaken[control.name] ??= field?.error || control.validationMessage;
    }
    return mistaken;
  };

  const send = async (event: React.FormEvent<HTMLFormElement>) => {
    const sent = event.currentTarget;
    const mistaken = found(sent);
    setErrors(mistaken);
    if (Object.keys(mistaken).length) {
      event.preventDefault();
      return;
    }
    // Another service answers with a page of its own.
    if (!form.page) return;
    event.preventDefault();
    if (state === "sending") return;
    setState("sending");
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(sent)) body.append(name, String(value));
    body.set("_after", String(Math.round(performance.now() - since.current)));
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
      });
      if (answer.status === 422) {
        setErrors((await answer.json()).errors);
        setState("open");
      } else {
        setState(answer.ok ? "sent" : "failed");
      }
    } catch {
      setState("failed");
    }
  };

  if (state === "sent") {
    return (
      <div className="form">
        <div ref={told} role="status" tabIndex={-1}>
          <p>{thanks}</p>
        </div>
      </div>
    );
  }
  return (
    <form
      className="form"
      id={form.id}
      ref={element}
      method="post"
      action={form.action}
      onSubmit={send}
      data-works-plain=""
    >
      {wrong.length > 0 && (
        <div className="form-summary" ref={told} role="alert" tabIndex={-1}>
          <h2>{mistakes}</h2>
          <ul>
            {wrong.map((field) => (
              <li key={field.name}>
                <a href={`#${form.id}-${field.name}`}>{`${field.label}: ${errors[field.name]}`}</a>
              </li>
            ))}
          </ul>
        </div>
      )}
      {state === "failed" && (
        <div className="form-summary" ref={told} role="alert" tabIndex={-1}>
          <p>{failed}</p>
        </div>
      )}
      {fields.map((field) => (
        <Control key={field.name} field={field} id={`${form.id}-${field.name}`} error={errors[field.name]} />
      ))}
      {form.page && (
        <>
          <input type="hidden" name="_page" value={form.page} />
          <div className="form-trap" aria-hidden="true">
            <input type="text" name="_website" tabIndex={-1} autoComplete="off" aria-label="Leave this empty" />
          </div>
        </>
      )}
      <button type="submit" data-variant="primary" aria-disabled={state === "sending"}>
        {submit}
      </button>
    </form>
  );
}

function Control({ field, id, error }: { field: Field; id: string; error?: string }) {
  const type = field.type ?? "text";
  if (type === "hidden") return <input type="hidden" name={field.name} value={field.value ?? ""} />;
  const described = [field.help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  const common = {
    name: field.name,
    required: field.required,
    autoComplete: field.autocomplete || undefined,
    "aria-describedby": described || undefined,
    "aria-invalid": error ? true : undefined,
  };
  const options = (field.options ?? []).map((option) =>
    typeof option === "string" ? { value: option, label: option } : { label: option.value, ...option },
  );
  const notes = (
    <>
      {field.help && (
        <p className="form-help" id={`${id}-help`}>
          {field.help}
        </p>
      )}
      {error && (
        <p className="form-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </>
  );
  if (type === "radio") {
    return (
      <fieldset className="form-field">
        <legend>{field.label}</legend>
        {notes}
        {options.map((option, index) => (
          <label className="form-choice" key={option.value}>
            <input
              {...common}
              id={index ? undefined : id}
              type="radio"
              value={option.value}
              defaultChecked={option.value === field.value}
            />
            {option.label}
          </label>
        ))}
      </fieldset>
    );
  }
  if (type === "checkbox") {
    return (
      <div className="form-field">
        <label className="form-choice">
          <input {...common} id={id} type="checkbox" value="on" defaultChecked={field.value === "on"} />
          {field.label}
        </label>
        {notes}
      </div>
    );
  }
  return (
    <div className="form-field">
      <label htmlFor={id}>{field.label}</label>
      {notes}
      {type === "textarea" ? (
        <textarea {...common} id={id} rows={6} maxLength={TEXTAREA_MAX} defaultValue={field.value} />
      ) : type === "select" ? (
        <select {...common} id={id} defaultValue={field.value ?? ""}>
          <option value="">–</option>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          id={id}
          type={type}
          step={type === "number" ? "any" : undefined}
          pattern={field.pattern || undefined}
          maxLength={type === "date" || type === "number" ? undefined : TEXT_MAX}
          defaultValue={field.value}
        />
      )}
    </div>
  );
}
