// avatar card, props come from the CRM so anything may be missing
export default function UserCard(props) {
  const user = props?.user;
  const initials = user?.name?.split?.(" ")?.map?.((p) => p?.[0] ?? "")?.join("") || "?";
  return (
    <div className="flex items-center gap-x-4 p-4">
      {user?.avatar?.url
        ? <img src={user.avatar.url} alt={user?.name ?? ""} className="size-12 rounded-full" />
        : <span className="initials flex size-12 items-center justify-center rounded-full bg-accent text-on-accent">{initials}</span>}
      <div>
        <p className="font-semibold">{user?.name ?? "Unknown user"}</p>
        <p className="text-text-muted text-sm">{user?.contact?.emails?.[0] ?? "no email"}</p>
        {user?.tags?.length && <p>{user.tags.join(", ")}</p>}
      </div>
    </div>
  );
}
UserCard.defaultProps = { user: null };
