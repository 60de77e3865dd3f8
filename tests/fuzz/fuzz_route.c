/* Any bytes as a request, at a door and under a configuration as the first byte says: it is answered or asked once,
 * and asked only what its door is for.
 * For: src/net/route.c */
#include "fuzz.h"
#include "net/route.c"

enum { AT_CONTROL = 1, OPEN = 2, TOKEN = 4, SAVES = 8 };

static const char token[] = "s3cr3t-t0ken";
static struct { struct page_head head; char strings[64]; } page;
static struct page_unit units[3];
static struct page_checkpoint checkpoints[1];
static struct page_checkpoint_state checkpoint_states[1];
static struct page_state state;
static struct page_unit_state unit_states[3];
static unsigned answered, asked;
static bool open_to_all; /* a request at the HTTP door with the right token */
static char scratch[8192];

struct out body(struct net *net) {
    (void)net;
    return out_on(scratch, sizeof scratch);
}

static void code_is_known(int code) {
    static const int known[] = {200, 400, 403, 404, 405, 500, 503};
    bool found = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        found |= known[i] == code;
    MUST(found);
    answered++;
}

void answer(struct net *net, struct client *client, int code, const char *type, const char *allow, const struct out *text) {
    (void)net, (void)client, (void)type;
    code_is_known(code);
    MUST(!text->cut && (allow != NULL) == (code == 405));
}

void answer_text(struct net *net, struct client *client, int code, const char *text) {
    (void)net;
    code_is_known(code);
    MUST(is_a_line(text) && (text < client->in || text >= client->in + sizeof client->in));
}

void life_probe(struct net *net, struct client *client) {
    (void)net, (void)client;
    answered++;
}

void ask_begin(struct net *net, struct client *client, uint8_t verb, uint16_t subject, int32_t value, bool patient) {
    (void)patient;
    MUST((client->door == DOOR_CONTROL && net->page.view.head->control) || (open_to_all && verb == ASK_PRESTOP));
    MUST(verb < ASK_N && (verb != ASK_PRESTOP || value >= 0));
    MUST(verb < ASK_START_UNIT || verb > ASK_SIGNAL_UNIT || subject < 2);
    MUST(verb != ASK_SIGNAL_UNIT || (value >= 1 && value <= SIGNAL_MAX));
    MUST(verb != ASK_CHECKPOINT || (net->page.view.head->n_checkpoints == 1 && (subject == 0 || subject == NONE)));
    asked++;
}

static uint32_t put(uint32_t *at, const char *text) {
    uint32_t offset = *at;
    strcpy((char *)&page + offset, text);
    *at += (uint32_t)strlen(text) + 1;
    return offset;
}

static void make_page(struct page_view *view, uint8_t how) {
    uint32_t at = sizeof page.head;
    page.head = (struct page_head){.n_units = 3, .n_services = 2, .n_checkpoints = how & SAVES ? 1 : 0, .control = how & OPEN, .version = put(&at, "1")};
    page.head.http_prestop = how & TOKEN ? put(&at, token) : 0;
    units[0] = (struct page_unit){.service_name = put(&at, "web"), .service = 0, .ready = NONE, .live = NONE};
    units[1] = (struct page_unit){.service_name = put(&at, "job"), .service = 1, .ready = NONE, .live = NONE};
    units[2] = units[1];
    units[0].name = units[0].service_name, units[1].name = units[2].name = units[1].service_name;
    checkpoints[0].name = put(&at, "jobs");
    state = (struct page_state){.clock = NEVER, .asked = NEVER, .grace = SEC(10), .phase = PH_N, .exit = -1};
    *view = (struct page_view){.head = &page.head, .units = units, .checkpoints = checkpoints, .state = &state,
                               .unit_states = unit_states, .checkpoint_states = checkpoint_states};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct client client;
    struct net net = {.now = {SEC(5).ns}};
    struct http_request request;
    if (size < 1 || size > HEAD_MAX)
        return 0;
    make_page(&net.page.view, data[0]);
    client = (struct client){.door = data[0] & AT_CONTROL ? DOOR_CONTROL : DOOR_HTTP, .n = size - 1};
    memcpy(client.in, data + 1, size - 1);
    answered = asked = 0;
    if (http_read(client.in, client.n, HEAD_MAX, &request) != HTTP_WHOLE)
        return 0;
    open_to_all = (data[0] & TOKEN) && request.token_bytes == sizeof token - 1 &&
                  memcmp(request.token, token, sizeof token - 1) == 0;
    route(&net, &client, &request);
    MUST(answered + asked == 1);
    MUST(!asked || request.method == HTTP_POST || (open_to_all && request.method == HTTP_GET));
    return 0;
}
