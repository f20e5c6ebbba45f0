"""The tables of a Dynamics 365 Sales organisation that a marketing system meets, with their types and limits.

`new_…` columns are not Microsoft's: an admin of the organisation adds them, as docs/dynamics.md says.
"""

from integrations.sandbox.dynamics.columns import Column, Table, Type, choice, flag, lookup, memo, moment, states, text

KEY = "new_crmkey"


def _system(table: str) -> tuple[Column, ...]:
    """What every record that somebody owns has."""
    return (
        Column("ownerid", "Owner", Type.OWNER, targets={"ownerid": "systemuser"}),
        lookup("createdby", "Created By", False, createdby="systemuser"),
        lookup("modifiedby", "Modified By", False, modifiedby="systemuser"),
        moment("createdon", "Created On", False),
        moment("modifiedon", "Modified On", False),
        moment("overriddencreatedon", "Record Created On"),
        Column("versionnumber", "Version Number", Type.BIGINT, is_writable=False),
    )


def _identity(name: str) -> Column:
    return Column(name, "Identifier", Type.ID)


def _person() -> tuple[Column, ...]:
    return (
        text("firstname", "First Name", 50),
        text("lastname", "Last Name", 50, "ApplicationRequired"),
        Column("fullname", "Name", Type.STRING, 160, is_writable=False),
        text("emailaddress1", "Email"),
        text("telephone1", "Business Phone", 50),
        text("mobilephone", "Mobile Phone", 20),
        text("jobtitle", "Job Title"),
        memo("description", "Description"),
        choice("preferredcontactmethodcode", "Preferred Method of Contact", "Any", "Email", "Phone", "Fax", "Mail"),
        flag("msdyn_gdproptout", "GDPR Opt out"),
        *_consent(),
        *_address(),
        lookup("transactioncurrencyid", "Currency", transactioncurrencyid="transactioncurrency"),
    )


def _consent() -> tuple[Column, ...]:
    return (
        flag("donotemail", "Do not allow Emails"),
        flag("donotbulkemail", "Do not allow Bulk Emails"),
        flag("donotphone", "Do not allow Phone Calls"),
        flag("donotpostalmail", "Do not allow Mails"),
        flag("donotsendmm", "Send Marketing Materials"),
    )


def _address() -> tuple[Column, ...]:
    return (
        text("address1_line1", "Street 1", 250),
        text("address1_city", "City", 80),
        text("address1_stateorprovince", "State/Province", 50),
        text("address1_postalcode", "ZIP/Postal Code", 20),
        text("address1_country", "Country/Region", 80),
    )


def _count(name: str, label: str, most: int = 1_000_000) -> Column:
    return Column(name, label, Type.INTEGER, most=most)


INDUSTRY = choice(
    "industrycode", "Industry", "Accounting", "Agriculture and Non-petrol Natural Resource Extraction",
    "Broadcasting Printing and Publishing", "Brokers", "Building Supply Retail", "Business Services", "Consulting",
    "Consumer Services",
)  # fmt: skip

LEAD = Table(
    "lead", "Lead", "leads", "leadid", "fullname",
    (
        _identity("leadid"),
        text("subject", "Topic", 300, "ApplicationRequired"),
        *_person(),
        text("companyname", "Company Name"),
        text("websiteurl", "Website", 200),
        choice("leadqualitycode", "Rating", "Hot", "Warm", "Cold"),
        choice(
            "leadsourcecode", "Lead Source", "Advertisement", "Employee Referral", "External Referral", "Partner",
            "Public Relations", "Seminar", "Trade Show", "Web", "Word of Mouth", "Other",
        ),
        *states(
            "lead", ("Open", {1: "New", 2: "Contacted"}), ("Qualified", {3: "Qualified"}),
            ("Disqualified", {4: "Lost", 5: "Cannot Contact", 6: "No Longer Interested", 7: "Canceled"}),
        ),
        choice("budgetstatus", "Budget", "No Committed Budget", "May Buy", "Can Buy", "Will Buy", first=0),
        choice("purchasetimeframe", "Purchase Timeframe", "Immediate", "This Quarter", "Next Quarter", "This Year",
               "Unknown", first=0),
        choice("need", "Need", "Must have", "Should have", "Good to have", "No need", first=0),
        Column("decisionmaker", "Decision Maker?", Type.BOOLEAN, options={0: "mark complete", 1: "completed"}),
        Column("estimatedamount", "Est. Value", Type.MONEY, most=922_337_203_685_477),
        Column("revenue", "Annual Revenue", Type.MONEY, most=922_337_203_685_477),
        _count("numberofemployees", "No. of Employees"),
        INDUSTRY,
        lookup("parentaccountid", "Parent Account for lead", parentaccountid="account"),
        lookup("parentcontactid", "Parent Contact for lead", parentcontactid="contact"),
        lookup("campaignid", "Source Campaign", campaignid="campaign"),
        lookup("qualifyingopportunityid", "Qualifying Opportunity", False, qualifyingopportunityid="opportunity"),
        lookup("masterid", "Master ID", False, masterid="lead"),
        Column("merged", "Merged", Type.BOOLEAN, options={0: "No", 1: "Yes"}, is_writable=False),
        text(KEY, "Onward key", 100),
        _count("new_marketingscore", "Marketing score"),
        text("new_marketinggrade", "Marketing grade", 10),
        *_system("lead"),
    ),
    {KEY: (KEY,)},
)  # fmt: skip

CONTACT = Table(
    "contact", "Contact", "contacts", "contactid", "fullname",
    (
        _identity("contactid"),
        *_person(),
        *states("contact", ("Active", {1: "Active"}), ("Inactive", {2: "Inactive"})),
        lookup("parentcustomerid", "Company Name",
               parentcustomerid_account="account", parentcustomerid_contact="contact"),
        lookup("originatingleadid", "Originating Lead", originatingleadid="lead"),
        text(KEY, "Onward key", 100),
        *_system("contact"),
    ),
    {KEY: (KEY,)},
)  # fmt: skip

ACCOUNT = Table(
    "account", "Account", "accounts", "accountid", "name",
    (
        _identity("accountid"),
        text("name", "Account Name", 160, "ApplicationRequired"),
        text("emailaddress1", "Email"),
        text("telephone1", "Main Phone", 50),
        text("websiteurl", "Website", 200),
        memo("description", "Description"),
        Column("revenue", "Annual Revenue", Type.MONEY, most=922_337_203_685_477),
        _count("numberofemployees", "Number of Employees", 1_000_000_000),
        INDUSTRY,
        *_address(),
        *states("account", ("Active", {1: "Active"}), ("Inactive", {2: "Inactive"})),
        lookup("primarycontactid", "Primary Contact", primarycontactid="contact"),
        lookup("originatingleadid", "Originating Lead", originatingleadid="lead"),
        lookup("transactioncurrencyid", "Currency", transactioncurrencyid="transactioncurrency"),
        text(KEY, "Onward key", 100),
        *_system("account"),
    ),
    {KEY: (KEY,)},
)  # fmt: skip

OPPORTUNITY = Table(
    "opportunity", "Opportunity", "opportunities", "opportunityid", "name",
    (
        _identity("opportunityid"),
        text("name", "Topic", 300, "ApplicationRequired"),
        memo("description", "Description"),
        Column("estimatedvalue", "Est. Revenue", Type.MONEY, most=922_337_203_685_477),
        Column("actualvalue", "Actual Revenue", Type.MONEY, most=922_337_203_685_477),
        Column("estimatedclosedate", "Est. Close Date", Type.DATE),
        Column("actualclosedate", "Actual Close Date", Type.DATE),
        *states(
            "opportunity", ("Open", {1: "In Progress", 2: "On Hold"}), ("Won", {3: "Won"}),
            ("Lost", {4: "Canceled", 5: "Out-Sold"}),
        ),
        lookup("parentaccountid", "Account", parentaccountid="account"),
        lookup("parentcontactid", "Contact", parentcontactid="contact"),
        lookup("customerid", "Potential Customer", customerid_account="account", customerid_contact="contact"),
        lookup("originatingleadid", "Originating Lead", originatingleadid="lead"),
        lookup("campaignid", "Source Campaign", campaignid="campaign"),
        lookup("transactioncurrencyid", "Currency", transactioncurrencyid="transactioncurrency"),
        *_system("opportunity"),
    ),
)  # fmt: skip


def _activity(name: str, label: str, *more: Column, scheduled: dict[int, str] | None = None) -> Table:
    known = (("Open", {1: "Open"}), ("Completed", {2: "Completed"}), ("Canceled", {3: "Canceled"}))
    own = (
        ("Open", {2: "Not Started", 3: "In Progress", 4: "Waiting on someone else"}),
        ("Completed", {5: "Completed"}),
        ("Canceled", {6: "Canceled"}),
    )
    regarding = {f"regardingobjectid_{to}_{name}": to for to in ("lead", "contact", "account", "opportunity")}
    return Table(
        name, label, f"{name}s", "activityid", "subject",
        (
            _identity("activityid"),
            text("subject", "Subject", 200, "ApplicationRequired"),
            memo("description", "Description"),
            moment("scheduledstart", "Start Date"),
            moment("scheduledend", "Due Date"),
            moment("actualend", "Actual End"),
            choice("prioritycode", "Priority", "Low", "Normal", "High", first=0),
            *states(name, *(own if name == "task" else known)),
            Column("regardingobjectid", "Regarding", Type.LOOKUP, targets=regarding),
            *more,
            *_system(name),
        ),
    )  # fmt: skip


TASK = _activity("task", "Task")
PHONECALL = _activity(
    "phonecall", "Phone Call", text("phonenumber", "Phone Number", 200),
    Column("directioncode", "Direction", Type.BOOLEAN, options={0: "Incoming", 1: "Outgoing"}),
)  # fmt: skip
APPOINTMENT = _activity("appointment", "Appointment", text("location", "Location", 200))

USER = Table(
    "systemuser", "User", "systemusers", "systemuserid", "fullname",
    (
        _identity("systemuserid"),
        text("firstname", "First Name", 64),
        text("lastname", "Last Name", 64),
        Column("fullname", "Full Name", Type.STRING, 200, is_writable=False),
        text("internalemailaddress", "Primary Email"),
        text("domainname", "User Name", 1024),
        text("title", "Title", 128),
        Column("isdisabled", "Status", Type.BOOLEAN, options={0: "Enabled", 1: "Disabled"}),
        Column("applicationid", "Application ID", Type.ID),
        choice("accessmode", "Access Mode", "Read-Write", "Administrative", "Read", "Support User", "Non-interactive",
               first=0),
        moment("createdon", "Created On", False),
        moment("modifiedon", "Modified On", False),
        Column("versionnumber", "Version Number", Type.BIGINT, is_writable=False),
    ),
    is_tracked=False,
)  # fmt: skip

CURRENCY = Table(
    "transactioncurrency", "Currency", "transactioncurrencies", "transactioncurrencyid", "currencyname",
    (
        _identity("transactioncurrencyid"),
        text("currencyname", "Currency Name"),
        text("isocurrencycode", "Currency Code", 5),
        text("currencysymbol", "Currency Symbol", 13),
        moment("createdon", "Created On", False),
        moment("modifiedon", "Modified On", False),
        Column("versionnumber", "Version Number", Type.BIGINT, is_writable=False),
    ),
    is_tracked=False,
)  # fmt: skip

CAMPAIGN = Table(
    "campaign", "Campaign", "campaigns", "campaignid", "name",
    (
        _identity("campaignid"),
        text("name", "Name", 128),
        text("codename", "Campaign Code", 32),
        *states("campaign", ("Active", {0: "Proposed", 2: "Launched"}), ("Inactive", {3: "Completed"})),
        *_system("campaign"),
    ),
    is_tracked=False,
)  # fmt: skip

TABLES = {
    table.name: table
    for table in (LEAD, CONTACT, ACCOUNT, OPPORTUNITY, TASK, PHONECALL, APPOINTMENT, USER, CURRENCY, CAMPAIGN)
}
BY_SET = {table.set_name: table for table in TABLES.values()}
