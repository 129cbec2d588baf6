"""Arguments and repetition for modules that speak to a web service."""
import functools
import random
import time


def rate_limit_argument_spec(spec=None):
    """Gives the arguments that limit how often a service is asked."""
    return dict(dict(rate=dict(type='int'), rate_limit=dict(type='int')), **(spec or {}))


def retry_argument_spec(spec=None):
    """Gives the arguments for repetition."""
    return dict(dict(retries=dict(type='int'), retry_pause=dict(type='float', default=1)), **(spec or {}))


def basic_auth_argument_spec(spec=None):
    """Gives the arguments for a service with a user name and a password."""
    return dict(dict(
        api_username=dict(type='str'), api_password=dict(type='str', no_log=True), api_url=dict(type='str'),
        validate_certs=dict(type='bool', default=True)), **(spec or {}))


def rate_limit(rate=None, rate_limit=None):
    """Has a function wait so that it runs at most `rate` times in `rate_limit` seconds."""
    pause = float(rate_limit) / float(rate) if rate is not None and rate_limit is not None else None

    def wrapper(function):
        last = [0.0]

        @functools.wraps(function)
        def limited(*args, **kwargs):
            if pause is not None:
                time.sleep(max(0.0, last[0] + pause - time.monotonic()))
                last[0] = time.monotonic()
            return function(*args, **kwargs)
        return limited
    return wrapper


def retry(retries=None, retry_pause=1):
    """Has a function repeated until it gives something true and raises nothing."""
    def wrapper(function):
        @functools.wraps(function)
        def repeated(*args, **kwargs):
            if retries is None:
                return function(*args, **kwargs)
            for _attempt in range(retries):
                try:
                    result = function(*args, **kwargs)
                except Exception:
                    result = None
                if result:
                    return result
                time.sleep(retry_pause)
            raise Exception('Retry limit exceeded: %d' % retries)
        return repeated
    return wrapper


def generate_jittered_backoff(retries=10, delay_base=3, delay_threshold=60):
    """Gives growing pauses with chance in them."""
    for attempt in range(retries):
        yield random.randint(0, min(delay_threshold, delay_base * 2 ** attempt))


def retry_never(exception_or_result):
    """Says that nothing is worth another attempt."""
    return False


def retry_with_delays_and_condition(backoff_iterator, should_retry_error=None):
    """Has a function repeated, after these pauses, when it raises something that is worth it."""
    again = should_retry_error or retry_never

    def wrapper(function):
        @functools.wraps(function)
        def repeated(*args, **kwargs):
            for pause in backoff_iterator:
                try:
                    return function(*args, **kwargs)
                except Exception as err:
                    if not again(err):
                        raise
                time.sleep(pause)
            return function(*args, **kwargs)
        return repeated
    return wrapper
