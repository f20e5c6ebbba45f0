"""The complete list of tables without a tenant, each with its reason. A test holds it against the database."""

UNSCOPED: dict[str, str] = {
    "tenants_user": "a person may belong to several tenants",
    "tenants_user_groups": "Django's permissions of admin users",
    "tenants_user_user_permissions": "Django's permissions of admin users",
    "tenants_tenant": "the list of tenants itself",
    "tenants_member": "looked up before the scope: decides which scopes a person may enter",
    "tenants_invitation": "looked up by its token before the scope",
    "tenants_publichost": "looked up before the scope: which tenant a host name serves",
    "tenants_wakeup": "the dispatcher reads it across tenants; holds no more than queue and moment",
    "tenants_heartbeat": "background processes serve all tenants",
    "auth_group": "Django's permissions of admin users",
    "auth_group_permissions": "Django's permissions of admin users",
    "auth_permission": "Django's permissions of admin users",
    "django_admin_log": "what staff did in the admin's unscoped part",
    "django_content_type": "Django's list of models",
    "django_migrations": "Django's list of migrations",
    "django_session": "sessions belong to users",
    "account_emailaddress": "allauth: addresses belong to users",
    "account_emailconfirmation": "allauth: addresses belong to users",
}
